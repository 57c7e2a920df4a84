// title: A pool whose threads are all busy, and a timer and a socket that do not care.
// shows: Timers and sockets need no thread: the loop itself asks the kernel for them.
// see: The timer and the socket before the reads that were started first.
// args: --read-mb=32 Megabytes of random bytes that each of eight reads takes.
// source: event loop workflow article, 2018
// claim: All asynchronous work is done by a pool of threads (a misconception that the article
//   names).
// fact: Only what the kernel has no way to tell about is: files, dns.lookup, some of crypto and
//   zlib.
// since: always so
'use strict';

const fs = require('fs');
const net = require('net');
const given = new Map(process.argv.slice(2).map((arg) => arg.split('=')));
const readMb = Number(given.get('--read-mb') ?? 32);

const server = net.createServer((socket) => socket.end()).listen(0, '127.0.0.1', () => {
  const fd = fs.openSync('/dev/urandom', 'r');
  let left = 8;
  for (let i = 0; i < 8; i++) {
    const bytes = new Uint8Array(readMb * 1e6);
    fs.read(fd, bytes, 0, bytes.length, null, () => {
      if (--left === 0) console.log('all reads');
    });
  }
  setTimeout(() => {
    console.log('timer');
    net.connect(server.address().port, '127.0.0.1', () => {
      console.log('socket');
      server.close();
    }).resume();
  }, 1);
});
