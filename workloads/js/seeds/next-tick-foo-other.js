// title: The same with another timer of the same delay beside it.
// shows: Ticks are drained behind each timer's callback, so the other timer waits for the last foo.
// see: foo 1 to 20, Other setTimeout, then setTimeout 21 twenty times.
// source: event loop workflow article, 2018
// claim: The other timer most likely runs behind the first foo: timers of the same delay are a
//   group, and ticks are drained behind the whole group.
// fact: Ticks and microtasks are drained behind each timer: all foos come first.
// since: Node 11 drains between the timers of a list
'use strict';

let i = 0;
function foo() {
  i++;
  if (i > 20) {
    return;
  }
  console.log('foo', i);
  setTimeout(() => {
    console.log('setTimeout', i);
  }, 0);
  process.nextTick(foo);
}

setTimeout(foo, 2);
setTimeout(() => {
  console.log('Other setTimeout');
}, 2);
