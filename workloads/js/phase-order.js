// title: One turn with something in each phase that JavaScript can reach, and in which order they
//   run.
// shows: From a callback of the poll phase: the immediates (check), then closed sockets (close),
//   then the timers that are due, and then the next turn's poll. The phases pending, idle and
//   prepare belong to Node itself.
// see: poll, check, close, timers, poll of the next turn: whatever was started first.
'use strict';

const fs = require('fs');
const net = require('net');

const server = net.createServer((socket) => socket.resume()).listen(0, '127.0.0.1', () => {
  const client = net.connect(server.address().port, '127.0.0.1', () => {
    server.close();
    fs.stat('.', () => oneTurn(client));
  });
});

function oneTurn(client) {
  console.log('poll: a file');
  fs.stat('.', () => console.log('poll: a file, in the next turn'));
  setTimeout(() => console.log('timers: a timer of 1 ms'), 1);
  client.on('close', () => console.log('close: a socket'));
  client.destroy();
  setImmediate(() => console.log('check: an immediate'));
  // Until the timer is due: else it would be a race.
  const end = performance.now() + 3;
  while (performance.now() < end);
}
