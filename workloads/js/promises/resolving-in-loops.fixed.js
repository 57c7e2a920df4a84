// title: The same steps in a plain loop, with one promise for each slice.
// fixed: Runs the steps in a plain loop and makes one promise for each slice of 20: the one that
//   waits for a turn.
// see: 100 promises in all, drains of one job, and no block.
// args: --count=2000 Steps.
// args: --work-us=100 Busy work in each.
'use strict';

const { performance } = require('perf_hooks');
const given = new Map(process.argv.slice(2).map((arg) => arg.split('=')));
const count = Number(given.get('--count') ?? 2000);
const workUs = Number(given.get('--work-us') ?? 100);
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

let rows = 0;
function addRow() {
  const end = performance.now() + workUs / 1000;
  while (performance.now() < end);
  rows++;
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

setTimeout(async () => {
  measure();
  while (rows < count) {
    addRow();
    if (rows % slice === 0 && rows < count) {
      await turn();
      measure();
    }
  }
}, 1);

process.on('exit', () => {
  console.log(JSON.stringify({ seen: { rows } }));
  console.log(JSON.stringify({ truth: {
    workload: 'promises/resolving-in-loops', fixed: true, cause: 'healthy',
    function: null, blocks_ms: blocks, longest_drain: count > slice ? 1 : 0,
  } }));
});
