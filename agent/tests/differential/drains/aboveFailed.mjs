import './throws.js';
