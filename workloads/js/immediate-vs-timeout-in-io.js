// title: In an I/O callback an immediate always runs before a setTimeout(0).
// shows: From a main program it is a race: the timer is made 1 ms long, and whether that has passed
//   when the loop looks is chance. From the poll phase it is none: check follows poll, and the
//   timers come after it.
// see: An immediate, then a timeout, each time.
// args: --count=3 I/O callbacks, one after the other.
'use strict';

const fs = require('fs');
const given = new Map(process.argv.slice(2).map((arg) => arg.split('=')));
const count = Number(given.get('--count') ?? 3);

function onFile(left) {
  setTimeout(() => {
    console.log('timers: setTimeout');
    if (left > 1) fs.stat('.', () => onFile(left - 1));
  }, 0);
  setImmediate(() => console.log('check: setImmediate'));
}

fs.stat('.', () => onFile(count));
