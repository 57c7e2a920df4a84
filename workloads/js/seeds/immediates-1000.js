// title: A thousand immediates, each queued by the one before.
// shows: A turn that has an immediate waits for nothing.
// see: An execution time of a few milliseconds.
// args: --count=1000 Calls of foo.
// source: event loop workflow article, 2018
'use strict';

const given = new Map(process.argv.slice(2).map((arg) => arg.split('=')));
const count = Number(given.get('--count') ?? 1000);

let i = 0;
const start = performance.now();
function foo() {
  i++;
  if (i < count) {
    setImmediate(foo);
  } else {
    console.log('Execution time:', Math.round(performance.now() - start), 'ms');
  }
}
foo();
