// title: A handler that parses a batch of JSON messages in one go.
// wrong: JSON.parse can't be interrupted, and neither can a loop of them: while a handler parses
//   what has piled up, nobody else is served.
// see: A block of 200 ms in parseAll; the leaf is native code.
// args: --block-ms=200 How long the batch takes to parse.
// fixed: Parses for 5 ms a turn and goes on from an immediate.
'use strict';

const { performance } = require('perf_hooks');
const given = new Map(process.argv.slice(2).map((arg) => arg.split('=')));
const blockMs = Number(given.get('--block-ms') ?? 200);

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

function parseAll() {
  const end = performance.now() + blockMs;
  let items = 0;
  while (performance.now() < end) items += JSON.parse(message).length;
  return items;
}

let items = 0;
setImmediate(setTimeout, () => {
  measure();
  items = parseAll();
}, 1);

process.on('exit', () => {
  console.log(JSON.stringify({ seen: { items } }));
  console.log(JSON.stringify({ truth: {
    workload: 'json-block', fixed: false, cause: 'cpu-bound-callback',
    function: 'parseAll', blocks_ms: blocks, longest_drain: 0,
  } }));
});
