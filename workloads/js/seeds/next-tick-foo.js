// title: A function that takes itself on by process.nextTick, and arms a timer each time.
// shows: The tick queue is drained to its end, ticks queued by ticks too, before the loop goes on
//   to any timer.
// see: foo twenty times, then setTimeout twenty times.
// source: event loop workflow article, 2018
'use strict';

let i = 0;
function foo() {
  i++;
  if (i > 20) {
    return;
  }
  console.log('foo');
  setTimeout(() => {
    console.log('setTimeout');
  }, 0);
  process.nextTick(foo);
}
setTimeout(foo, 2);
