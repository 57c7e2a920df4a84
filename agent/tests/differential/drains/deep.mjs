import './shares.mjs';
import './deeper.mjs';
