// title: The same slow reads, few at once and a part at a time: a thread is left for quick jobs.
// fixed: Starts slow jobs only while another thread of the pool is left for quick ones, and another
//   processor for the loop. They read a megabyte at a time: no turn of the loop has much to do.
// see: No block, and a quick job that takes a few milliseconds.
// args: --count=12 Slow jobs, each a read of random bytes, which costs the kernel some time.
// args: --read-mb=16 Megabytes that each reads.
'use strict';

const fs = require('fs');
const os = require('os');
const { performance } = require('perf_hooks');
const given = new Map(process.argv.slice(2).map((arg) => arg.split('=')));
const count = Number(given.get('--count') ?? 12);
const readMb = Number(given.get('--read-mb') ?? 16);
const threads = Number(process.env.UV_THREADPOOL_SIZE ?? 4);
const atOnce = Math.max(1, Math.min(threads, os.availableParallelism()) - 1);

// The time until the loop comes to its next immediate is a block if it is 50 ms or more.
const blocks = [];
function measure() {
  const began = performance.now();
  setImmediate(() => {
    const ms = performance.now() - began;
    if (ms >= 50) blocks.push(+ms.toFixed(1));
  });
}

const parts = count * readMb;
let toRead = parts;
let leftToRead = parts;
let quickMs = null;

function readSlowly(fd, bytes) {
  if (toRead-- <= 0) return;
  fs.read(fd, bytes, 0, bytes.length, null, () => {
    measure();
    if (--leftToRead === 0) fs.closeSync(fd);
    else readSlowly(fd, bytes);
  });
}

fs.open('/dev/urandom', 'r', (error, fd) => {
  if (error) throw error;
  for (let i = 0; i < atOnce; i++) readSlowly(fd, new Uint8Array(1e6));
  const began = performance.now();
  fs.stat('.', () => { quickMs = +(performance.now() - began).toFixed(1); });
});

process.on('exit', () => {
  console.log(JSON.stringify({ seen: { quick_job_ms: quickMs } }));
  console.log(JSON.stringify({ truth: {
    workload: 'thread-pool-saturation', fixed: true, cause: 'healthy',
    function: null, blocks_ms: blocks, longest_drain: 0,
  } }));
});
