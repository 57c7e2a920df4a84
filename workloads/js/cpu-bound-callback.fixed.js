// title: The same computation in slices of 5 ms.
// fixed: Computes in slices of 5 ms, each from an immediate.
// see: No block: between two slices the loop does whatever else is due.
// args: --count=3 Computations.
// args: --block-ms=100 How long each takes, all slices together.
'use strict';

const { performance } = require('perf_hooks');
const given = new Map(process.argv.slice(2).map((arg) => arg.split('=')));
const count = Number(given.get('--count') ?? 3);
const blockMs = Number(given.get('--block-ms') ?? 100);
const sliceMs = 5;

// The time until the loop comes to its next immediate is a block if it is 50 ms or more.
const blocks = [];
function measure() {
  const began = performance.now();
  setImmediate(() => {
    const ms = performance.now() - began;
    if (ms >= 50) blocks.push(+ms.toFixed(1));
  });
}

function compute(leftMs, done) {
  measure();
  const end = performance.now() + Math.min(sliceMs, leftMs);
  while (performance.now() < end);
  if (leftMs > sliceMs) setImmediate(compute, leftMs - sliceMs, done);
  else done();
}

function tick(left) {
  compute(blockMs, () => {
    if (left > 1) setTimeout(tick, 1, left - 1);
  });
}

setImmediate(setTimeout, tick, 1, count);

process.on('exit', () => {
  console.log(JSON.stringify({ truth: {
    workload: 'cpu-bound-callback', fixed: true, cause: 'healthy',
    function: null, blocks_ms: blocks, longest_drain: 0,
  } }));
});
