// title: A loop that hangs each step on a chain of promises.
// wrong: chain = chain.then(step) in a loop makes all promises before the first step runs, and as
//   nothing in the chain has to wait, the whole chain is one drain.
// see: 2,000 promises made before the first step, one drain of 2,000 jobs, a block of 200 ms or
//   more.
// args: --count=2000 Steps.
// args: --work-us=100 Busy work in each.
// fixed: Runs the steps in a plain loop and makes one promise for each slice of 20: the one that
//   waits for a turn.
'use strict';

const { performance } = require('perf_hooks');
const given = new Map(process.argv.slice(2).map((arg) => arg.split('=')));
const count = Number(given.get('--count') ?? 2000);
const workUs = Number(given.get('--work-us') ?? 100);

// The time until the loop comes to its next immediate is a block if it is 50 ms or more.
const blocks = [];
function measure() {
  const began = performance.now();
  setImmediate(() => {
    const ms = performance.now() - began;
    if (ms >= 50) blocks.push(+ms.toFixed(1));
  });
}

let rows = 0;
function addRow() {
  const end = performance.now() + workUs / 1000;
  while (performance.now() < end);
  rows++;
}

let rowsWhenChained = null;
setTimeout(() => {
  measure();
  let chain = Promise.resolve();
  for (let i = 0; i < count; i++) chain = chain.then(addRow);
  rowsWhenChained = rows;
}, 1);

process.on('exit', () => {
  console.log(JSON.stringify({ seen: { rows_when_chained: rowsWhenChained, rows } }));
  console.log(JSON.stringify({ truth: {
    workload: 'promises/resolving-in-loops', fixed: false, cause: 'microtask-flood',
    function: 'addRow', blocks_ms: blocks, longest_drain: count,
  } }));
});
