// title: The thread pool: eight reads at once on four threads.
// shows: File system calls run on the pool's threads, UV_THREADPOOL_SIZE of them, 4 by default; the
//   others wait for a thread. Each read costs the kernel some time here, as it is of random bytes.
// see: Reads that end in groups of as many as there are threads. With UV_THREADPOOL_SIZE=8 all are
//   one group; with 1 each has to wait for the one before.
// args: --count=8 Reads.
// args: --read-mb=16 Megabytes that each reads.
// source: event loop workflow article, 2018
// claim: The size of the pool can be raised to 128.
// fact: It can be raised to 1,024.
// since: libuv 1.30, Node 12.5
// claim: Node handles all asynchronous work on the pool.
// fact: Files, dns.lookup and some of crypto and zlib are; sockets and timers are not: see
//   pool-not-everything.
// since: always so
'use strict';

const fs = require('fs');
const given = new Map(process.argv.slice(2).map((arg) => arg.split('=')));
const count = Number(given.get('--count') ?? 8);
const readMb = Number(given.get('--read-mb') ?? 16);

const threads = Number(process.env.UV_THREADPOOL_SIZE ?? 4);
console.log(`${count} reads on ${threads} threads`);

const fd = fs.openSync('/dev/urandom', 'r');
const began = performance.now();
let done = 0;
for (let i = 0; i < count; i++) {
  const bytes = new Uint8Array(readMb * 1e6);
  fs.read(fd, bytes, 0, bytes.length, null, () => {
    done++;
    console.log(`read ${done} has ended after ${Math.round(performance.now() - began)} ms`);
    if (done === count) fs.closeSync(fd);
  });
}
