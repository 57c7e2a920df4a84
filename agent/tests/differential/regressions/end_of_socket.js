// The end of a socket that was read in the last poll comes before what another one has got since.
'use strict';

const net = require('net');
const watch = (name, socket) => {
  for (const event of ['data', 'end', 'finish', 'close']) {
    socket.on(event, (value) => console.log(name, event, String(value ?? '')));
  }
  socket.on('error', (error) => console.log(name, error.code));
  return socket;
};
const server = net.createServer((socket) => {
  watch('server', socket).on('data', () => socket.write('answer'));
});
server.on('close', () => console.log('closed'));
server.listen(0, '127.0.0.1', () => {
  const client = watch('client', net.connect(server.address().port, '127.0.0.1'));
  client.write('question');
  client.once('data', () => {
    client.end('last');
    server.close();
  });
});
