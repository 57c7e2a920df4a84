// title: Timers A, B, C and D of 100 to 400 ms, and a loop that comes to them at t+250.
// shows: It runs A and B, one after the other, sees that C is not due, does not look at D, and goes
//   on.
// see: A and B, the immediate, then C and D in turns of their own.
// source: event loop workflow article, 2018
// claim: A timer runs if now minus its start equals its delay, and a limit that depends on the
//   system ends the phase even if more timers are due.
// fact: It runs if that much or more has passed, and there is no limit: all timers that are due
//   run. Limits exist for pending callbacks (8 passes) and the poll (48 times 1,024 events).
// since: always so in libuv
// claim: All timers are in one heap, sorted by when they are due.
// fact: Node keeps a list for each delay, a heap of the lists, and one timer of libuv for all.
// since: long before Node 20
'use strict';

for (const [name, ms] of [['A', 100], ['B', 200], ['C', 300], ['D', 400]]) {
  setTimeout(() => console.log(`timer ${name} of ${ms} ms`), ms);
}
setImmediate(() => console.log('immediate'));

const end = performance.now() + 250;
while (performance.now() < end);
console.log('t+250');
