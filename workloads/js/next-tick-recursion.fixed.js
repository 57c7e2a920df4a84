// title: The same steps by setImmediate: the loop turns between them.
// fixed: Takes itself on by setImmediate, a slice of 100 steps a turn.
// see: No block, and a microtask that runs behind the first slice.
// args: --count=20000 Steps of the recursion.
// args: --work-us=10 Busy work in each step.
'use strict';

const fs = require('fs');
const { performance } = require('perf_hooks');
const given = new Map(process.argv.slice(2).map((arg) => arg.split('=')));
const count = Number(given.get('--count') ?? 20000);
const workUs = Number(given.get('--work-us') ?? 10);
const slice = 100;

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
  measure();
  const size = Math.min(slice, count - steps);
  const end = performance.now() + (workUs / 1000) * size;
  while (performance.now() < end);
  steps += size;
  if (steps < count) setImmediate(step);
}

let stepsBeforeMicrotask = null;
fs.stat('.', () => {
  queueMicrotask(() => { stepsBeforeMicrotask = steps; });
  step();
});

process.on('exit', () => {
  console.log(JSON.stringify({ seen: { steps_before_microtask: stepsBeforeMicrotask } }));
  console.log(JSON.stringify({ truth: {
    workload: 'next-tick-recursion', fixed: true, cause: 'healthy',
    function: null, blocks_ms: blocks, longest_drain: 1,
  } }));
});
