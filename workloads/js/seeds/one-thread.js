// title: The loop and JavaScript share one thread.
// shows: While a function computes for 50 ms no timer fires, though 49 of them would be due. A loop
//   on a thread of its own would count meanwhile.
// see: 0 while it computes, then 1: an interval does not catch up.
// source: event loop workflow article, 2018
// claim: The event loop runs in a separate thread (a misconception that the article names).
// fact: The loop calls JavaScript and waits for it, on the same thread.
// since: always so
'use strict';

let fired = 0;
const interval = setInterval(() => { fired++; }, 1);

const end = performance.now() + 50;
while (performance.now() < end);
console.log('fired while computing:', fired);

setImmediate(() => {
  clearInterval(interval);
  console.log('fired when the loop had its turn:', fired);
});
