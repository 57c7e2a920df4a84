// title: A timer whose nextTick queues itself: all of it runs before the timer beside it.
// shows: Two timers are due together. The first starts a recursion by process.nextTick, and each
//   step arms a timer of its own. Ticks are drained to their end after every callback, so the timer
//   beside it waits for the last step, and those of the steps come behind.
// see: All steps, the other timer, and the timers of the steps.
// args: --count=20 Steps of the recursion.
'use strict';

const given = new Map(process.argv.slice(2).map((arg) => arg.split('=')));
const count = Number(given.get('--count') ?? 20);

let step = 0;
function foo() {
  if (++step > count) return;
  console.log(`foo ${step}`);
  setTimeout(() => console.log('a timer of a step'), 1);
  process.nextTick(foo);
}

setTimeout(foo, 2);
setTimeout(() => console.log('the other timer'), 2);
// Until both are due: else they might be so in two different turns.
const end = performance.now() + 5;
while (performance.now() < end);
