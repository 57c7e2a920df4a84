// title: A pool that waits by Promise.race, again and again, for promises which are settled.
// wrong: Each race queues a job for every promise that is left, and the await behind it goes on in
//   the same drain: n promises make n(n+1)/2 + n jobs. Ten times the promises block a hundred times
//   as long; 30,000 are 450 million jobs and over a minute.
// see: One drain of 501,500 jobs for 1,000 promises, and a block of 200 ms or more.
// args: --count=1000 Promises in the pool.
// args: --work-us=200 Busy work behind each race.
// fixed: Waits for 100 promises at a time by Promise.all and lets the loop turn between them.
'use strict';

const fs = require('fs');
const { performance } = require('perf_hooks');
const given = new Map(process.argv.slice(2).map((arg) => arg.split('=')));
const count = Number(given.get('--count') ?? 1000);
const workUs = Number(given.get('--work-us') ?? 200);

// The time until the loop comes to its next immediate is a block if it is 50 ms or more.
const blocks = [];
function measure() {
  const began = performance.now();
  setImmediate(() => {
    const ms = performance.now() - began;
    if (ms >= 50) blocks.push(+ms.toFixed(1));
  });
}

async function emptyPool(pool) {
  while (pool.length > 0) {
    await Promise.race(pool);
    pool.pop();
    const end = performance.now() + workUs / 1000;
    while (performance.now() < end);
  }
}

fs.stat('.', () => {
  measure();
  emptyPool(Array.from({ length: count }, (_, i) => Promise.resolve(i)));
});

process.on('exit', () => {
  console.log(JSON.stringify({ truth: {
    workload: 'promise-race-pool', fixed: false, cause: 'microtask-flood',
    function: 'emptyPool', blocks_ms: blocks, longest_drain: (count * (count + 1)) / 2 + count,
  } }));
});
