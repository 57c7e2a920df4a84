'use strict';

// The observed server; prints its port when it listens.
//
//   node server.js hello    answers at once: a turn is nearly all there is
//   node server.js handler  parses the body, awaits, computes, and answers with JSON
//   node server.js turns    has no clients, but turns a hundred times a second, and awaits
//   node server.js spawns   the same, and starts a process each half second
//   node server.js spin:MS  stalls at each request, as does wait:MS; see stalls.js

const { spawn } = require('node:child_process');
const http = require('node:http');

const stalls = require('./stalls/stalls.js');

const [kind, ms] = process.argv[2].split(':');
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

function stalling(stall) {
  return (request, response) => response.end(`${stall()}\n`);
}

function answering() {
  if (kind in stalls) return stalling(stalls[kind](Number(ms)));
  return kind === 'handler' ? handler : hello;
}

if (kind === 'turns' || kind === 'spawns') setInterval(async () => { await null; }, 10);
if (kind === 'spawns') setInterval(() => spawn('true'), 500);
const server = http.createServer(answering());
server.keepAliveTimeout = 600_000;
server.listen(0, '127.0.0.1', () => console.log(server.address().port));
