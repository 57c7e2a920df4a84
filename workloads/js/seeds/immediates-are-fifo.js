// title: setImmediate puts a callback at the end of its queue, not in front.
// shows: Immediates run in the order they were queued, behind ticks and microtasks, in a phase of
//   their own.
// see: tick, microtask, immediate 1, 2, 3.
// source: event loop workflow article, 2018
// claim: setImmediate puts its callback in front of the queue (a misconception that the article
//   names).
// fact: It has its own queue, first in, first out.
// since: always so
'use strict';

setImmediate(() => console.log('immediate 1'));
setImmediate(() => console.log('immediate 2'));
queueMicrotask(() => console.log('microtask'));
process.nextTick(() => console.log('tick'));
setImmediate(() => console.log('immediate 3'));
