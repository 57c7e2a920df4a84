// title: What is scheduled in an exit handler has no loop to run on.
// shows: The loop has ended when exit handlers run. A timer and an immediate are queued, and nobody
//   looks; process.nextTick takes nothing any more.
// see: The two lines of the handler, and the reaction of the promise: of the four that are queued
//   it alone runs.
// source: event loop workflow article, 2018
// claim: Nothing that an exit handler schedules is ever called.
// fact: No timer, immediate or tick is. Microtasks still are, as they need no loop: they are
//   drained once more behind the handlers, unless process.exit() was called.
// since: seen in Node 20, 22 and 24
'use strict';

process.on('exit', () => {
  console.log('exit: scheduling');
  setTimeout(() => console.log('setTimeout'), 0);
  setImmediate(() => console.log('setImmediate'));
  process.nextTick(() => console.log('nextTick'));
  Promise.resolve().then(() => console.log('then'));
  const end = performance.now() + 5;
  while (performance.now() < end);
  console.log('exit: the end');
});
