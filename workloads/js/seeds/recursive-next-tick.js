// title: A nextTick that queues the next one: JavaScript can be blocked.
// shows: Nothing else has a turn until the recursion ends. Here it does; with --count=Infinity it
//   would not.
// see: 100,000 ticks before the microtask and the timer that were queued first.
// args: --count=100000 Ticks.
// source: event loop workflow article, 2018
'use strict';

const given = new Map(process.argv.slice(2).map((arg) => arg.split('=')));
const count = Number(given.get('--count') ?? 100000);

let ticks = 0;
setTimeout(() => console.log('timer behind', ticks, 'ticks'), 1);
Promise.resolve().then(() => console.log('microtask behind', ticks, 'ticks'));

function tick() {
  ticks++;
  if (ticks < count) process.nextTick(tick);
}
process.nextTick(tick);
