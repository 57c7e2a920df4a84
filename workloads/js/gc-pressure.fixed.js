// title: The same index in arrays of numbers, a slice of 5 ms a turn.
// fixed: Keeps numbers in arrays that are used again, and lets the loop turn between slices.
// see: No block, and hardly a collection.
// args: --block-ms=250 How long the handler goes on, all slices together.
'use strict';

const given = new Map(process.argv.slice(2).map((arg) => arg.split('=')));
const blockMs = Number(given.get('--block-ms') ?? 250);
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

const size = 400000;
const previous = new Int32Array(size).fill(-1);
const next = new Int32Array(size).fill(-1);
let id = 0;

function buildIndex(leftMs) {
  measure();
  const end = performance.now() + Math.min(sliceMs, leftMs);
  for (; performance.now() < end; id++) {
    const at = id % size;
    previous[at] = id % 100 === 1 || at === 0 ? -1 : at - 1;
    if (previous[at] >= 0) next[previous[at]] = at;
  }
  if (leftMs > sliceMs) setImmediate(buildIndex, leftMs - sliceMs);
}

setTimeout(buildIndex, 1, blockMs);

process.on('exit', () => {
  console.log(JSON.stringify({ seen: { records: Math.min(id, size) } }));
  console.log(JSON.stringify({ truth: {
    workload: 'gc-pressure', fixed: true, cause: 'healthy',
    function: null, blocks_ms: blocks, longest_drain: 0,
  } }));
});
