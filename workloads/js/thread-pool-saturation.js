// title: Twelve slow reads keep all threads of the pool, and a quick one waits behind them.
// wrong: The pool has 4 threads (UV_THREADPOOL_SIZE). A dozen slow jobs keep them busy, and a stat
//   that takes no time waits behind them. No turn of the loop is long, and yet the reply is late.
// see: No block, and a quick job that takes as long as the slow ones before it.
// args: --count=12 Slow jobs, each a read of random bytes, which costs the kernel some time.
// args: --read-mb=16 Megabytes that each reads.
// fixed: Starts slow jobs only while another thread of the pool is left for quick ones.
'use strict';

const fs = require('fs');
const { performance } = require('perf_hooks');
const given = new Map(process.argv.slice(2).map((arg) => arg.split('=')));
const count = Number(given.get('--count') ?? 12);
const readMb = Number(given.get('--read-mb') ?? 16);

// The time until the loop comes to its next immediate is a block if it is 50 ms or more.
const blocks = [];
function measure() {
  const began = performance.now();
  setImmediate(() => {
    const ms = performance.now() - began;
    if (ms >= 50) blocks.push(+ms.toFixed(1));
  });
}

let leftToRead = count;
let quickMs = null;

function readSlowly(fd) {
  const bytes = new Uint8Array(readMb * 1e6);
  fs.read(fd, bytes, 0, bytes.length, null, () => {
    measure();
    if (--leftToRead === 0) fs.closeSync(fd);
  });
}

fs.open('/dev/urandom', 'r', (error, fd) => {
  if (error) throw error;
  for (let i = 0; i < count; i++) readSlowly(fd);
  const began = performance.now();
  fs.stat('.', () => { quickMs = +(performance.now() - began).toFixed(1); });
});

process.on('exit', () => {
  console.log(JSON.stringify({ seen: { quick_job_ms: quickMs } }));
  console.log(JSON.stringify({ truth: {
    workload: 'thread-pool-saturation', fixed: false, cause: 'thread-pool-saturation',
    function: null, blocks_ms: blocks, longest_drain: 0,
  } }));
});
