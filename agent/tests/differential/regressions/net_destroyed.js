// A socket that is destroyed is closed at once: the other side sees its end in the next poll, and
// it is told itself in the close phase behind that.
'use strict';

const net = require('net');

const server = net.createServer((socket) => {
  socket.on('close', () => console.log('server side: close'));
  setTimeout(() => socket.destroy(), 20);
});
server.listen(0, '127.0.0.1', () => {
  const client = net.connect(server.address().port, '127.0.0.1');
  client.resume();
  for (const event of ['end', 'close']) {
    client.on(event, () => console.log(`client side: ${event}`));
  }
  client.on('close', () => server.close());
});
