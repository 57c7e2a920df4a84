// shows: An HTTP server that asks another one, which answers after 50 ms. Slow, and not blocked.
// see: healthy.
'use strict';

const http = require('node:http');
const { underLoad } = require('../support/load');

const backend = http.createServer((request, response) => {
  setTimeout(() => response.end('found\n'), 50);
}).listen(0, '127.0.0.1');
const agent = new http.Agent({ keepAlive: true });

const server = http.createServer((request, response) => {
  http.get({ port: backend.address().port, agent }, (answer) => answer.pipe(response));
});
server.on('close', () => { agent.destroy(); backend.close(); });

underLoad(server, 'http', 24);
