// wrong: Names are looked up by dns.lookup, each on a thread of the pool, of which libuv gives two
//   at most to that. The name server takes 200 ms, and a name that needs none waits behind.
// needs: resolver
// see: No stall, and thread-pool-saturation. Run it where the resolver asks only this program:
//   unshare --mount sh -c 'mount --bind bench/labelled/support/resolv.conf /etc/resolv.conf &&
//     exec node bench/labelled/stalls/slow-dns.js'
'use strict';

const dgram = require('node:dgram');
const dns = require('node:dns');
const { noStalls } = require('../support/truth');

const ROUNDS = 3;
const NAMES = 12;

// Answers each question, after some time, that there is no such name.
const server = dgram.createSocket('udp4', (question, { port, address }) => {
  const answer = Buffer.from(question);
  answer.writeUInt16BE(0x8183, 2);
  setTimeout(() => server.send(answer, port, address), 200);
});

function serve(left) {
  if (left === 0) return void setTimeout(() => server.close(), 300);
  for (let name = 0; name < NAMES; name++) dns.lookup(`h${left}-${name}.example.`, () => {});
  const began = performance.now();
  dns.lookup('localhost', () => {
    process.stderr.write(`localhost took ${(performance.now() - began).toFixed(0)} ms\n`);
    setTimeout(serve, 300, left - 1);
  });
}

server.bind(53, '127.53.53.53', () => noStalls('thread-pool-saturation', () => serve(ROUNDS)));
