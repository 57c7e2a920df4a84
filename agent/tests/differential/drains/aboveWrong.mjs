import './shares.mjs';
import './wrong.mjs?above';
