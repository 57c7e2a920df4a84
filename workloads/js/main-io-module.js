// title: The same six statements in a script, an I/O callback and a module: three orders.
// shows: A script runs before the loop: ticks, microtasks, then timers and immediates. An I/O
//   callback runs in the poll phase, so immediates come before timers. A module is evaluated in a
//   drain of microtasks: those end first, then come the ticks. See seeds/first.mjs for a real one.
// see: Three times six lines, each time in another order.
'use strict';

const fs = require('fs');

const others = [
  () => fs.stat('.', () => queueAll('io')),
  // As Node 20 does it: in a reaction of the promise that the file is loaded.
  () => fs.stat('.', () => Promise.resolve('module').then(queueAll)),
];

let lines = 0;
function say(line) {
  console.log(line);
  if (++lines % 6 === 0) others.shift()?.();
}

function queueAll(place) {
  setTimeout(() => say(`${place}: setTimeout`), 0);
  setImmediate(() => say(`${place}: setImmediate`));
  Promise.resolve().then(() => say(`${place}: promise`));
  queueMicrotask(() => say(`${place}: microtask`));
  process.nextTick(() => say(`${place}: nextTick`));
  say(`${place}: main`);
}

queueAll('script');
// Until its timer is due: else it would be a race with the immediate.
const end = performance.now() + 3;
while (performance.now() < end);
