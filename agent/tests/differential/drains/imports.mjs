import 'node:path';
import './below.mjs';
import './shares.mjs';
