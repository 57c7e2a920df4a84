import './below.mjs';
import './data.json';
