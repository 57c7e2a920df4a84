// title: Timer callbacks that each compute for 100 ms without a break.
// wrong: There is no queue to blame: the callback itself is the block, and whatever is due
//   meanwhile waits for it to return.
// see: Three blocks of 100 ms each, in a function named compute.
// args: --count=3 Callbacks.
// args: --block-ms=100 How long each computes.
// fixed: Computes in slices of 5 ms, each from an immediate.
'use strict';

const { performance } = require('perf_hooks');
const given = new Map(process.argv.slice(2).map((arg) => arg.split('=')));
const count = Number(given.get('--count') ?? 3);
const blockMs = Number(given.get('--block-ms') ?? 100);

// The time until the loop comes to its next immediate is a block if it is 50 ms or more.
const blocks = [];
function measure() {
  const began = performance.now();
  setImmediate(() => {
    const ms = performance.now() - began;
    if (ms >= 50) blocks.push(+ms.toFixed(1));
  });
}

function compute() {
  const end = performance.now() + blockMs;
  while (performance.now() < end);
}

function tick(left) {
  measure();
  compute();
  if (left > 1) setTimeout(tick, 1, left - 1);
}

setImmediate(setTimeout, tick, 1, count);

process.on('exit', () => {
  console.log(JSON.stringify({ truth: {
    workload: 'cpu-bound-callback', fixed: false, cause: 'cpu-bound-callback',
    function: 'compute', blocks_ms: blocks, longest_drain: 0,
  } }));
});
