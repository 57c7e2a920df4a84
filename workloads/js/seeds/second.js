// title: The order puzzle in an I/O callback: the code of first.js behind fs.readFile.
// shows: The callback runs in the poll phase. Ticks and microtasks are drained behind it as behind
//   a script, but the check phase comes next: immediates before timers.
// see: nextTick 1 to 3, reactions and microtasks, immediates, timeouts.
// source: broken promises article
// claim: Timers always run at the start of the next turn.
// fact: They run at the end of a turn, and once before the first one. Seen from an I/O callback
//   both are behind the check phase.
// since: libuv 1.45, Node 20: timers run after the poll instead of before it
'use strict';

const fs = require('fs');

fs.readFile(__filename, () => {
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
});
