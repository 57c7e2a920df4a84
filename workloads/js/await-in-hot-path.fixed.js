// title: The same layers as plain functions; only a miss is awaited.
// fixed: Awaits only on a miss, and lets the loop turn behind each 50 rows.
// see: No microtask for a hit, drains of one job, and no block.
// args: --count=2000 Rows.
// args: --work-us=50 Busy work on each.
'use strict';

const { performance } = require('perf_hooks');
const given = new Map(process.argv.slice(2).map((arg) => arg.split('=')));
const count = Number(given.get('--count') ?? 2000);
const workUs = Number(given.get('--work-us') ?? 50);
const slice = 50;

// The time until the loop comes to its next immediate is a block if it is 50 ms or more.
const blocks = [];
function measure() {
  const began = performance.now();
  setImmediate(() => {
    const ms = performance.now() - began;
    if (ms >= 50) blocks.push(+ms.toFixed(1));
  });
}

const cache = new Map([['rate', 2]]);
const load = async (key) => Number(cache.get(key));
const get = (key) => (cache.has(key) ? cache.get(key) : load(key));
const turn = () => new Promise((resolve) => setImmediate(resolve));

let total = 0;
async function priceAll() {
  measure();
  for (let row = 0; row < count; row++) {
    if (row > 0 && row % slice === 0) {
      await turn();
      measure();
    }
    const rate = get('rate');
    total += row * (1 + (typeof rate === 'number' ? rate : await rate));
    const end = performance.now() + workUs / 1000;
    while (performance.now() < end);
  }
}

setImmediate(setTimeout, priceAll, 1);

process.on('exit', () => {
  console.log(JSON.stringify({ seen: { total } }));
  console.log(JSON.stringify({ truth: {
    workload: 'await-in-hot-path', fixed: true, cause: 'healthy',
    function: null, blocks_ms: blocks, longest_drain: count > slice ? 1 : 0,
  } }));
});
