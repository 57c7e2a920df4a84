// shows: Ten datagrams each 5 ms from one socket to another, which counts them.
// see: healthy.
'use strict';

const dgram = require('node:dgram');
const { noStalls } = require('../support/truth');

noStalls('healthy', () => {
  let count = 0;
  const server = dgram.createSocket('udp4', () => { count++; });
  const client = dgram.createSocket('udp4');
  server.bind(0, '127.0.0.1', () => {
    const { port } = server.address();
    const tick = setInterval(() => {
      for (let left = 10; left > 0; left--) client.send('a metric:1|c', port, '127.0.0.1');
    }, 5);
    setTimeout(() => { clearInterval(tick); server.close(); client.close(); }, 2000);
  });
});
