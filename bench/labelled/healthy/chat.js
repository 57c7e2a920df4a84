// shows: A server that sends each line of one client to all the others, as chats by WebSocket do.
// see: healthy.
'use strict';

const net = require('node:net');
const { underLoad } = require('../support/load');

const sockets = new Set();
let tick = null;

const server = net.createServer((socket) => {
  sockets.add(socket);
  socket.on('data', (line) => { for (const to of sockets) to.write(line); });
  socket.on('error', () => {});
  socket.on('close', () => sockets.delete(socket));
});
server.on('listening', () => {
  tick = setInterval(() => { for (const to of sockets) to.write('news\n'); }, 20);
});
server.on('close', () => clearInterval(tick));

underLoad(server, 'tcp', 6);
