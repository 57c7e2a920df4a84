// A timeout that clears itself and throws: its list is gone, so the next one runs at once.
'use strict';

process.on('uncaughtException', (error) => {
  queueMicrotask(() => console.log('microtask behind', error.message));
});
const timeout = setTimeout(() => {
  console.log('a');
  clearTimeout(timeout);
  throw new Error('a');
}, 1);
setTimeout(() => console.log('b'), 3);
const end = Date.now() + 20;
while (Date.now() < end);
