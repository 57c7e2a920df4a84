// title: A loop that awaits Promise.all of the whole list after each promise that it adds.
// wrong: To be safe it waits for all promises so far, each time. They are settled already, so all
//   of it is one drain of n(n+1)/2 + n jobs, and ten times the promises block a hundred times as
//   long.
// see: One drain of 501,500 jobs for 1,000 promises, and a block of 200 ms or more.
// args: --count=1000 Promises.
// args: --work-us=200 Busy work behind each wait.
// fixed: Waits for each promise once, 20 at a time, and lets the loop turn between them.
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

async function collect() {
  const all = [];
  for (let i = 0; i < count; i++) {
    all.push(Promise.resolve(i));
    await Promise.all(all);
    const end = performance.now() + workUs / 1000;
    while (performance.now() < end);
  }
}

fs.stat('.', () => {
  measure();
  collect();
});

process.on('exit', () => {
  console.log(JSON.stringify({ truth: {
    workload: 'await-all-growing', fixed: false, cause: 'microtask-flood',
    function: 'collect', blocks_ms: blocks, longest_drain: (count * (count + 1)) / 2 + count,
  } }));
});
