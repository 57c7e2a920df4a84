'use strict';

// A client of the healthy servers, as a process of its own.
//
//   node client.js http PORT CONNECTIONS MS [BODY]   requests, one behind the other on each
//   node client.js tcp PORT CONNECTIONS MS           lines, each answered before the next

const http = require('node:http');
const net = require('node:net');

const [, , kind, port, connections, ms, body] = process.argv;
const end = Date.now() + Number(ms);

function request(agent) {
  if (Date.now() > end) return agent.destroy();
  const options = { port, agent, host: '127.0.0.1', method: body ? 'POST' : 'GET' };
  const asked = http.request(options, (answer) => {
    answer.resume();
    answer.on('end', () => setTimeout(request, 2, agent));
  });
  asked.on('error', () => agent.destroy());
  asked.end(body);
}

function talk() {
  const socket = net.connect(port, '127.0.0.1', () => socket.write('a line\n'));
  socket.on('data', () => {
    if (Date.now() > end) socket.end();
    else setTimeout(() => socket.write('a line\n'), 1);
  });
  socket.on('error', () => {});
}

for (let left = Number(connections); left > 0; left--) {
  if (kind === 'http') request(new http.Agent({ keepAlive: true, maxSockets: 1 }));
  else talk();
}
