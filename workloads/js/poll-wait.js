// title: How long the poll waits: not at all, until the next timer, or as long as it takes.
// shows: Before it asks the kernel the loop looks what else it has to do. With an immediate queued
//   or a timer due it must not wait. Else it waits for the next timer, and without one as long as
//   it takes.
// see: The same four lines each time; the loop's own idle time tells whether a poll has waited.
'use strict';

const fs = require('fs');

const cases = {
  'a timer and an immediate': (next) => {
    const timer = setTimeout(next, 40, 'waits until the timer is due');
    setImmediate(() => { clearTimeout(timer); next(); });
  },
  'a timer that is due': (next) => {
    setTimeout(next, 1);
    const end = performance.now() + 3;
    while (performance.now() < end);
  },
  'a timer in 40 ms': (next) => setTimeout(next, 40, 'waits until the timer is due'),
  'a read on the pool': (next) => {
    const bytes = new Uint8Array(32e6);
    const fd = fs.openSync('/dev/urandom', 'r');
    fs.read(fd, bytes, 0, bytes.length, null, () => {
      fs.closeSync(fd);
      next('waits as long as it takes');
    });
  },
};

function run([[has, start], ...rest]) {
  const idleBefore = performance.eventLoopUtilization().idle;
  start((does) => {
    const idleMs = performance.eventLoopUtilization().idle - idleBefore;
    console.log(`${has}: the poll ${idleMs > 5 ? does : 'does not wait'}`);
    if (rest.length > 0) run(rest);
  });
}

setImmediate(run, Object.entries(cases));
