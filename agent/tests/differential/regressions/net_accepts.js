// A server takes one connection a turn, as libuv since 1.45.
'use strict';

const net = require('net');

const COUNT = 6;
let turn = 0;
const turns = [];
const tick = () => {
  turn++;
  if (turns.length < COUNT) setImmediate(tick);
};
const server = net.createServer((socket) => {
  turns.push(turn);
  socket.destroy();
  if (turns.length < COUNT) return;
  server.close();
  console.log(turns.map((one) => one - turns[0]).join(' '));
});
server.listen(0, '127.0.0.1', () => {
  setImmediate(tick);
  const { port } = server.address();
  for (let i = 0; i < COUNT; i++) net.connect(port, '127.0.0.1').on('error', () => {}).resume();
});
