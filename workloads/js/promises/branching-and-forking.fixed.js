// title: The same steps in one line, inside one try.
// fixed: Keeps to one line: awaits step by step inside one try, 40 steps a turn.
// see: Drains of one job, no block, and the error where it is looked for.
// args: --levels=11 How often the promise would fork.
// args: --work-us=50 Busy work in each step.
'use strict';

const { performance } = require('perf_hooks');
const given = new Map(process.argv.slice(2).map((arg) => arg.split('=')));
const levels = Number(given.get('--levels') ?? 11);
const workUs = Number(given.get('--work-us') ?? 50);
const count = 2 ** (levels + 1) - 2;
const slice = 40;

// The time until the loop comes to its next immediate is a block if it is 50 ms or more.
const blocks = [];
function measure() {
  const began = performance.now();
  setImmediate(() => {
    const ms = performance.now() - began;
    if (ms >= 50) blocks.push(+ms.toFixed(1));
  });
}

let steps = 0;
function step() {
  const end = performance.now() + workUs / 1000;
  while (performance.now() < end);
  if (!(++steps < count)) throw new Error('the last step failed');
}

let [caught, unhandled] = [0, 0];
process.on('unhandledRejection', () => { unhandled++; });
const turn = () => new Promise((resolve) => setImmediate(resolve));

setTimeout(async () => {
  measure();
  try {
    for (;;) {
      step();
      if (steps % slice === 0) {
        await turn();
        measure();
      }
    }
  } catch {
    caught++;
  }
}, 1);

process.on('exit', () => {
  console.log(JSON.stringify({ seen: { steps, caught, unhandled } }));
  console.log(JSON.stringify({ truth: {
    workload: 'promises/branching-and-forking', fixed: true, cause: 'healthy',
    function: null, blocks_ms: blocks, longest_drain: count > slice ? 1 : 0,
  } }));
});
