import 'node:events';
import 'node:fs';
