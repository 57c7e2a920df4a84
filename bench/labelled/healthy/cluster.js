// shows: A cluster of two workers that answer requests; the primary hands out connections.
// see: healthy.
'use strict';

const { spawn } = require('node:child_process');
const cluster = require('node:cluster');
const http = require('node:http');
const path = require('node:path');

function load(port) {
  const client = path.join(__dirname, '../support/client.js');
  const args = [client, 'http', port, 8, 1500];
  spawn(process.execPath, args, { stdio: 'inherit' }).on('exit', () => {
    for (const worker of Object.values(cluster.workers)) worker.kill();
  });
}

if (cluster.isPrimary) {
  const { noStalls } = require('../support/truth');
  let listening = 0;
  cluster.on('listening', (worker, { port }) => { if (++listening === 2) load(port); });
  noStalls('healthy', () => { cluster.fork(); cluster.fork(); });
} else {
  http.createServer((request, response) => response.end('hello\n')).listen(0, '127.0.0.1');
}
