// shows: An HTTP server that parses a body, awaits, sorts, and answers with JSON.
// see: healthy; each request is a drain or two of a few jobs.
'use strict';

const http = require('node:http');
const { underLoad } = require('../support/load');

const body = JSON.stringify(Array.from({ length: 50 }, (_, id) => (
  { id, price: (id * 7919) % 100 })));

async function handle(text) {
  const items = JSON.parse(text);
  await null;
  items.sort((a, b) => a.price - b.price);
  return JSON.stringify({ items });
}

const server = http.createServer((request, response) => {
  const parts = [];
  request.on('data', (part) => parts.push(part));
  request.on('end', async () => response.end(await handle(Buffer.concat(parts).toString())));
});

underLoad(server, 'http', 16, body);
