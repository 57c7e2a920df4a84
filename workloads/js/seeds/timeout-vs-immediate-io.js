// title: setTimeout(0) against setImmediate in an I/O callback: the immediate is always first.
// shows: The check phase follows the poll phase; the timers come after it.
// see: setImmediate, then setTimeout, each time.
// source: event loop workflow article, 2018
// claim: The phases of a turn are timers, pending, idle, prepare, poll, check, close.
// fact: They are pending, idle, prepare, poll, check, close, timers; timers also once before the
//   first turn.
// since: libuv 1.45, Node 20
'use strict';

const fs = require('fs');

fs.readFile('my-file-path.txt', () => {
  setTimeout(() => {
    console.log('setTimeout');
  }, 0);
  setImmediate(() => {
    console.log('setImmediate');
  });
});
