import './below.mjs';
const = 1;
