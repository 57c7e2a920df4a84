// title: A timer that is long due, and is cleared before the loop has looked.
// shows: Nobody puts the callback of an expired timer into a queue behind your back. It runs when
//   the loop looks at its timers and finds it due, and so it can still be taken back.
// see: Two lines, and not that of the timer.
// source: event loop workflow article, 2018
// claim: The system puts a timer's callback into a queue when it expires (a misconception that the
//   article names).
// fact: The loop compares the time with its list of timers, once a turn.
// since: always so
'use strict';

const timer = setTimeout(() => console.log('the timer'), 1);

const end = performance.now() + 20;
while (performance.now() < end);
console.log('19 ms overdue, and cleared');
clearTimeout(timer);

setTimeout(() => console.log('the loop has looked at its timers'), 20);
