// title: Not one queue: five callbacks, queued in one order, run in another.
// shows: Each way to schedule has a queue of its own, and the loop and Node visit them in an order
//   of their own.
// see: nextTick, promise, immediate, timeout: the reverse of the order in which they were queued.
// source: event loop workflow article, 2018
// claim: There is a single stack or queue (a misconception that the article names).
// fact: There are lists of timers, a queue of immediates, the kernel's events, closing handles,
//   ticks and microtasks.
// since: always so
'use strict';

const fs = require('fs');

fs.stat('.', () => {
  setTimeout(() => console.log('timeout'), 0);
  setImmediate(() => console.log('immediate'));
  Promise.resolve().then(() => console.log('promise'));
  process.nextTick(() => console.log('nextTick'));
  console.log('the callback itself');
});
