// title: setTimeout(fn, 0) is setTimeout(fn, 1), and so is a delay that is too long.
// shows: Timers of the same delay form a list in the order they were armed. If 0 were shorter than
//   1, the second would be first.
// see: one, zero, too long; and a warning on standard error about the last.
// source: event loop workflow article, 2018
'use strict';

setTimeout(() => console.log('one'), 1);
setTimeout(() => console.log('zero'), 0);
setTimeout(() => console.log('too long'), 2 ** 31);
