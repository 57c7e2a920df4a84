// title: The same promises, waited for once each, 100 at a time.
// fixed: Waits for 100 promises at a time by Promise.all and lets the loop turn between them.
// see: Drains of 101 jobs, one for each promise and one for the await, and no block.
// args: --count=1000 Promises in the pool.
// args: --work-us=200 Busy work behind each promise, 20 of them a turn.
'use strict';

const fs = require('fs');
const { performance } = require('perf_hooks');
const given = new Map(process.argv.slice(2).map((arg) => arg.split('=')));
const count = Number(given.get('--count') ?? 1000);
const workUs = Number(given.get('--work-us') ?? 200);
const batch = 100;
const slice = 20;

// The time until the loop comes to its next immediate is a block if it is 50 ms or more.
const blocks = [];
function measure() {
  const began = performance.now();
  setImmediate(() => {
    const ms = performance.now() - began;
    if (ms >= 50) blocks.push(+ms.toFixed(1));
  });
}

function use(left) {
  measure();
  const end = performance.now() + (workUs / 1000) * Math.min(slice, left);
  while (performance.now() < end);
  if (left > slice) return void setImmediate(use, left - slice);
  setImmediate(emptyPool);
}

let pool = [];
async function emptyPool() {
  measure();
  const taken = pool.splice(0, batch);
  if (taken.length === 0) return;
  await Promise.all(taken);
  setImmediate(use, taken.length);
}

fs.stat('.', () => {
  pool = Array.from({ length: count }, (_, i) => Promise.resolve(i));
  emptyPool();
});

process.on('exit', () => {
  console.log(JSON.stringify({ truth: {
    workload: 'promise-race-pool', fixed: true, cause: 'healthy',
    function: null, blocks_ms: blocks, longest_drain: Math.min(batch, count) + 1,
  } }));
});
