// title: The same six statements in a script, an I/O callback and a module: three orders.
// shows: A script runs before the loop: ticks, microtasks, then timers and immediates. An I/O
//   callback runs in the poll phase, so immediates come before timers. A module is evaluated in a
//   drain of microtasks: those end first, then come the ticks. See seeds/first.mjs for a real one.
// see: Three times six lines, each time in another order.
'use strict';

const fs = require('fs');

function queueAll(place) {
  setTimeout(() => console.log(`${place}: setTimeout`), 0);
  setImmediate(() => console.log(`${place}: setImmediate`));
  Promise.resolve().then(() => console.log(`${place}: promise`));
  queueMicrotask(() => console.log(`${place}: microtask`));
  process.nextTick(() => console.log(`${place}: nextTick`));
  console.log(`${place}: main`);
}

queueAll('script');
// Until its timer is due: else it would be a race with the immediate.
const end = performance.now() + 3;
while (performance.now() < end);

setTimeout(() => {
  fs.stat('.', () => queueAll('io'));
  // As Node does it: in a reaction of the promise that the file is loaded.
  setTimeout(() => fs.stat('.', () => Promise.resolve('module').then(queueAll)), 30);
}, 30);
