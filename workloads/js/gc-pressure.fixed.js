// title: The same links in one array of numbers, a slice of 5 ms a turn.
// fixed: Keeps the links in one array of numbers, and lets the loop turn between slices.
// see: No block, and hardly a collection.
// args: --block-ms=250 How long the handler goes on, all slices together.
// args: --keep=20000 Records that are kept.
'use strict';

const { performance } = require('perf_hooks');
const given = new Map(process.argv.slice(2).map((arg) => arg.split('=')));
const blockMs = Number(given.get('--block-ms') ?? 250);
const keep = Number(given.get('--keep') ?? 20000);
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

const previous = new Int32Array(keep);
let id = 0;

function buildIndex(leftMs) {
  measure();
  const end = performance.now() + Math.min(sliceMs, leftMs);
  while (performance.now() < end) {
    for (let i = 0; i < 1000; i++, id++) {
      previous[id % keep] = i === 0 ? -1 : id - 1; // The next one is at id + 1.
    }
  }
  if (leftMs > sliceMs) setImmediate(buildIndex, leftMs - sliceMs);
}

setImmediate(setTimeout, buildIndex, 1, blockMs);

process.on('exit', () => {
  console.log(JSON.stringify({ seen: { records: id } }));
  console.log(JSON.stringify({ truth: {
    workload: 'gc-pressure', fixed: true, cause: 'healthy',
    function: null, blocks_ms: blocks, longest_drain: 0,
  } }));
});
