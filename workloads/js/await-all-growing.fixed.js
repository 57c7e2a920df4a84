// title: The same promises, each waited for once.
// fixed: Waits for each promise once, 20 at a time, and lets the loop turn between them.
// see: Drains of 21 jobs, one for each promise and one for the await, and no block.
// args: --count=1000 Promises.
// args: --work-us=200 Busy work behind each promise.
'use strict';

const fs = require('fs');
const { performance } = require('perf_hooks');
const given = new Map(process.argv.slice(2).map((arg) => arg.split('=')));
const count = Number(given.get('--count') ?? 1000);
const workUs = Number(given.get('--work-us') ?? 200);
const batch = 20;

// The time until the loop comes to its next immediate is a block if it is 50 ms or more.
const blocks = [];
function measure() {
  const began = performance.now();
  setImmediate(() => {
    const ms = performance.now() - began;
    if (ms >= 50) blocks.push(+ms.toFixed(1));
  });
}

async function collect(first) {
  measure();
  const size = Math.min(batch, count - first);
  await Promise.all(Array.from({ length: size }, (_, i) => Promise.resolve(first + i)));
  const end = performance.now() + (workUs / 1000) * size;
  while (performance.now() < end);
  if (first + size < count) setImmediate(collect, first + size);
}

fs.stat('.', () => collect(0));

process.on('exit', () => {
  console.log(JSON.stringify({ truth: {
    workload: 'await-all-growing', fixed: true, cause: 'healthy',
    function: null, blocks_ms: blocks, longest_drain: Math.min(batch, count) + 1,
  } }));
});
