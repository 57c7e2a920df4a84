// title: setTimeout(0) against setImmediate in a script: a race.
// shows: The timer is made 1 ms long. If that has passed when the loop begins, it is first; if not,
//   the immediate is.
// see: Two lines, in either order. Run it a few times.
// source: event loop workflow article, 2018
'use strict';

setTimeout(() => {
  console.log('setTimeout');
}, 0);
setImmediate(() => {
  console.log('setImmediate');
});
