// `process.exit` whose handlers throw: the program goes on, and its end is told again.
'use strict';

process.on('uncaughtException', (error) => {
  console.log('uncaught', error.message);
  Promise.resolve().then(() => console.log('microtask of the handler'));
});
process.on('exit', (status) => {
  Promise.resolve().then(() => console.log('microtask'));
  throw new Error(`in a handler, ${status}`);
});
setTimeout(() => process.exit(3), 1);
