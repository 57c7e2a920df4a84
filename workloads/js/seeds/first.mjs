// title: The order puzzle as an ES module: line for line the code of first.js.
// shows: A module is evaluated in a reaction of a promise, so in a drain of microtasks: those end
//   before the ticks have a turn. Node 20 does so in a callback of the poll phase: immediates come
//   before timers.
// see: Reactions and microtasks, nextTick 1 to 3, then immediates and timeouts; from Node 22 on
//   timeouts and immediates.
// source: broken promises article
// claim: A module runs when the event loop has started, in the poll phase, so immediates come
//   before timers.
// fact: So it does in Node 20. Node 22 evaluates it before the loop begins, so the timers come
//   first, as in a script.
// since: seen in Node 22.23 and 24.21

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
