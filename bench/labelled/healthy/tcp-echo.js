// shows: A TCP server that echoes lines to 32 clients.
// see: healthy.
'use strict';

const net = require('node:net');
const { underLoad } = require('../support/load');

const server = net.createServer((socket) => {
  socket.on('error', () => {});
  socket.pipe(socket);
});

underLoad(server, 'tcp', 32);
