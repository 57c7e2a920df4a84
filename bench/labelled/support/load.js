'use strict';

// Puts a healthy server under the load of a client process, for 2 s, and closes it.

const { spawn } = require('node:child_process');
const path = require('node:path');
const { noStalls } = require('./truth');

const LOAD_MS = 2000;

function underLoad(server, kind, connections, ...body) {
  noStalls('healthy', () => server.listen(0, '127.0.0.1', () => {
    const { port } = server.address();
    const args = [path.join(__dirname, 'client.js'), kind, port, connections, LOAD_MS, ...body];
    const client = spawn(process.execPath, args, { stdio: 'inherit' });
    client.on('exit', () => { server.close(); server.closeAllConnections?.(); });
  }));
}

module.exports = { underLoad, LOAD_MS };
