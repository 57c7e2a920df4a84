import 'node:path';
import './below.mjs?deeper';
