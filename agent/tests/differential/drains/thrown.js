// What is thrown leaves what waits to the next callback that ends well.
'use strict';

const fs = require('fs');

process.on('uncaughtException', () => {
  queueMicrotask(() => {});
});
process.nextTick(() => {
  throw new Error('in a tick');
});
fs.stat(__filename, () => {
  throw new Error('in a callback');
});
// Long enough for the file to be there when the loop begins.
const end = Date.now() + 20;
while (Date.now() < end);
