// The main program is told so many jobs later that a CommonJS module below it has thrown.
import './common_fails.js';
