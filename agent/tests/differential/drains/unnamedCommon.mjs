import { no } from './plain.js';
