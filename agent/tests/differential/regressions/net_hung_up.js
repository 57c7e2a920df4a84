// Where our own side of a connection has ended, an end behind the last data is told with it, else
// in the next turn.
'use strict';

const net = require('net');

const runs = [true, false];
const watch = (socket) => {
  socket.on('data', (data) => {
    console.log(`data ${data}`);
    setImmediate(() => console.log('next turn'));
  });
  socket.on('end', () => console.log('end'));
};
const next = () => {
  const endsFirst = runs.shift();
  if (endsFirst === undefined) return;
  console.log(`ends first: ${endsFirst}`);
  const server = net.createServer({ allowHalfOpen: true }, (socket) => {
    watch(socket);
    if (endsFirst) socket.end();
    socket.on('end', () => socket.end());
    socket.on('close', () => server.close(next));
  });
  server.listen(0, '127.0.0.1', () => {
    const { port } = server.address();
    const client = net.connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    client.resume();
    setTimeout(() => client.end('z'), 10);
  });
};
next();
