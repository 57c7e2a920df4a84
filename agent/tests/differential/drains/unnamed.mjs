import { no } from './below.mjs';
