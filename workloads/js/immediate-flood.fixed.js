// title: The same items, a slice of 2 ms in each turn.
// fixed: Queues the items in slices of 2 ms; each slice queues the next.
// see: No block: the loop looks at its timers and sockets between two slices.
// args: --count=1000 Items.
// args: --work-us=200 Busy work for each.
'use strict';

const fs = require('fs');
const { performance } = require('perf_hooks');
const given = new Map(process.argv.slice(2).map((arg) => arg.split('=')));
const count = Number(given.get('--count') ?? 1000);
const workUs = Number(given.get('--work-us') ?? 200);
const slice = Math.max(1, Math.floor(2000 / workUs));

// The time until the loop comes to its next immediate is a block if it is 50 ms or more.
const blocks = [];
function measure() {
  const began = performance.now();
  setImmediate(() => {
    const ms = performance.now() - began;
    if (ms >= 50) blocks.push(+ms.toFixed(1));
  });
}

function handleItems(left) {
  measure();
  const size = Math.min(slice, left);
  const end = performance.now() + (workUs / 1000) * size;
  while (performance.now() < end);
  if (left > size) setImmediate(handleItems, left - size);
}

fs.stat('.', () => handleItems(count));

process.on('exit', () => {
  console.log(JSON.stringify({ truth: {
    workload: 'immediate-flood', fixed: true, cause: 'healthy',
    function: null, blocks_ms: blocks, longest_drain: 0,
  } }));
});
