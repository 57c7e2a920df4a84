// shows: An HTTP server that streams a file of 2 MB to each of 4 clients.
// see: healthy.
'use strict';

const fs = require('node:fs');
const http = require('node:http');
const os = require('node:os');
const path = require('node:path');
const { pipeline } = require('node:stream');
const { underLoad } = require('../support/load');

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'labelled-'));
const file = path.join(folder, 'page');
fs.writeFileSync(file, Buffer.alloc(2_000_000, 'text'));
process.on('exit', () => fs.rmSync(folder, { recursive: true }));

const server = http.createServer((request, response) => {
  pipeline(fs.createReadStream(file), response, () => {});
});

underLoad(server, 'http', 4);
