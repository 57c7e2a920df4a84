// title: Two immediates in one turn, and the microtasks of the first before the second.
// shows: The check phase runs all immediates that were queued when it began; microtasks are drained
//   behind each of them. What an immediate queues by setImmediate waits for the next turn.
// see: immediate 1, its microtask, immediate 2, its microtask, and the one of the next turn last.
// source: Lambda and event loop article, 2019
// claim: One macrotask is processed per tick, and all microtasks behind it.
// fact: That is the rule of browsers. In Node one turn runs all timers that are due, all events of
//   the poll and all queued immediates, and drains ticks and microtasks behind each callback.
// since: Node 11 drains behind each timer and immediate; before it did behind all of a phase
'use strict';

setImmediate(() => {
  console.log('immediate 1');
  queueMicrotask(() => console.log('microtask of immediate 1'));
  setImmediate(() => console.log('immediate 3, in the next turn'));
});
setImmediate(() => {
  console.log('immediate 2');
  queueMicrotask(() => console.log('microtask of immediate 2'));
});
