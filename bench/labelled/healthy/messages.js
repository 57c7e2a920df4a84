// shows: Messages that go to and fro between two ports.
// see: healthy.
'use strict';

const { MessageChannel } = require('node:worker_threads');
const { noStalls } = require('../support/truth');

noStalls('healthy', () => {
  const { port1, port2 } = new MessageChannel();
  const end = performance.now() + 2000;
  port2.on('message', (message) => port2.postMessage({ ...message, seen: true }));
  port1.on('message', ({ id }) => {
    if (performance.now() > end) return void port1.close();
    setTimeout(() => port1.postMessage({ id: id + 1, text: 'word '.repeat(100) }), 1);
  });
  port1.postMessage({ id: 0 });
});
