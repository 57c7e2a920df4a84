'use strict';

// The observed server; prints its port when it listens.
//
//   node server.js hello    answers at once: a turn is nearly all there is
//   node server.js handler  parses the body, awaits, computes, and answers with JSON
//   node server.js turns    has no clients, but turns a hundred times a second, and awaits

const http = require('node:http');

const kind = process.argv[2];
const STEPS = 85_000;

async function handle(body) {
  const items = JSON.parse(body);
  await null;
  let sum = 0;
  for (let step = 0; step < STEPS; step += 1) sum = (sum + step * 31) % 65_521;
  items.sort((a, b) => b.price - a.price);
  return JSON.stringify({ sum, items });
}

function hello(request, response) {
  response.end('hello, world\n');
}

function handler(request, response) {
  const parts = [];
  request.on('data', (part) => parts.push(part));
  request.on('end', async () => {
    response.end(await handle(Buffer.concat(parts).toString()));
  });
}

if (kind === 'turns') setInterval(async () => { await null; }, 10);
const server = http.createServer(kind === 'handler' ? handler : hello);
server.keepAliveTimeout = 600_000;
server.listen(0, '127.0.0.1', () => console.log(server.address().port));
