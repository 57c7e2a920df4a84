// title: The same messages, parsed for 5 ms a turn.
// fixed: Parses for 5 ms a turn and goes on from an immediate.
// see: No block: the loop turns between two slices.
// args: --block-ms=200 How long the batch takes to parse, all slices together.
'use strict';

const { performance } = require('perf_hooks');
const given = new Map(process.argv.slice(2).map((arg) => arg.split('=')));
const blockMs = Number(given.get('--block-ms') ?? 200);
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

const message = JSON.stringify(Array.from({ length: 500 }, (_, id) => (
  { id, name: `item ${id}`, tags: ['a', 'b'], price: id / 100 }
)));

let items = 0;
function parseAll(leftMs) {
  measure();
  const end = performance.now() + Math.min(sliceMs, leftMs);
  while (performance.now() < end) items += JSON.parse(message).length;
  if (leftMs > sliceMs) setImmediate(parseAll, leftMs - sliceMs);
}

setImmediate(setTimeout, parseAll, 1, blockMs);

process.on('exit', () => {
  console.log(JSON.stringify({ seen: { items } }));
  console.log(JSON.stringify({ truth: {
    workload: 'json-block', fixed: true, cause: 'healthy',
    function: null, blocks_ms: blocks, longest_drain: 0,
  } }));
});
