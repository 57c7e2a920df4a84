// title: The order puzzle as a script: in which order do these eleven lines come?
// shows: A script runs before the loop. When it returns, Node drains the ticks, then the
//   microtasks; then the loop begins with its timers and comes to the immediates.
// see: nextTick 1 to 3, the reactions and microtasks in the order they were queued, timeouts,
//   immediates.
// source: broken promises article
// claim: The loop begins with its timers, so they come before the immediates.
// fact: It does, but a timer of 0 ms is one of 1 ms: without the wait at the end it would be a
//   race.
// since: always so

'use strict';

setTimeout(() => console.log('timeout 1'), 0);
setImmediate(() => console.log('immediate 1'));
process.nextTick(() => console.log('nextTick 1'));
Promise.resolve().then(() => console.log('then 1'));
queueMicrotask(() => console.log('microtask 1'));
process.nextTick(() => console.log('nextTick 2'));
setImmediate(() => console.log('immediate 2'));
queueMicrotask(() => console.log('microtask 2'));
Promise.resolve().then(() => console.log('then 2'));
setTimeout(() => console.log('timeout 2'), 0);
process.nextTick(() => console.log('nextTick 3'));

// Until the timers are due: else timers and immediates might race.
const end = performance.now() + 5;
while (performance.now() < end);
