// title: Ticks, then microtasks, after every callback and before the next timer.
// shows: What the program queues runs when it returns: all ticks, those queued by ticks too, then
//   all microtasks, and what those queue, before any timer. The same happens behind each callback,
//   since Node 11 also between two timers that are due together.
// see: Twelve lines, always in this order.
'use strict';

function queueBoth(place) {
  queueMicrotask(() => console.log(`${place}: microtask`));
  process.nextTick(() => console.log(`${place}: tick`));
}

for (const timer of ['timer 1', 'timer 2']) {
  setTimeout(() => {
    console.log(timer);
    queueBoth(timer);
  }, 1);
}

queueMicrotask(() => {
  console.log('main: microtask');
  process.nextTick(() => console.log('main: tick queued by a microtask'));
  queueMicrotask(() => console.log('main: microtask queued by a microtask'));
});
process.nextTick(() => {
  console.log('main: tick');
  process.nextTick(() => console.log('main: tick queued by a tick'));
});
console.log('main');
