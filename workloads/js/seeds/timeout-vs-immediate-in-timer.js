// title: setTimeout(0) against setImmediate in a timer's callback: the immediate is always first.
// shows: The new timer is at least 1 ms away and is looked for when the timers have their next
//   turn; the check phase comes before that.
// see: setImmediate, then setTimeout, each time, even if the callback goes on until the new timer
//   is due.
// source: event loop workflow article, 2018
// claim: Which of the two comes first is as uncertain in a timer's callback as in a script.
// fact: It is certain, as the check phase lies between two rounds of timers.
// since: always so
'use strict';

setTimeout(() => {
  setTimeout(() => {
    console.log('setTimeout');
  }, 0);
  setImmediate(() => {
    console.log('setImmediate');
  });
  const end = performance.now() + 5;
  while (performance.now() < end);
}, 0);
