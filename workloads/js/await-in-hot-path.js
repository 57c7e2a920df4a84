// title: Three layers of async functions around a value that is nearly always there.
// wrong: Each layer awaits the one below, for every row, though only a miss would have to wait. A
//   hit costs three microtasks and three promises instead of none, and none of them lets the loop
//   turn.
// see: One drain of 6,001 jobs for 2,000 rows, and a block of 100 ms or more.
// args: --count=2000 Rows.
// args: --work-us=50 Busy work on each.
// fixed: Awaits only on a miss, and lets the loop turn behind each 50 rows.
'use strict';

const { performance } = require('perf_hooks');
const given = new Map(process.argv.slice(2).map((arg) => arg.split('=')));
const count = Number(given.get('--count') ?? 2000);
const workUs = Number(given.get('--work-us') ?? 50);

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
const get = async (key) => cache.get(key);
const getNumber = async (key) => Number(await get(key));
const getRate = async () => 1 + await getNumber('rate');

async function priceAll() {
  let sum = 0;
  for (let row = 0; row < count; row++) {
    sum += row * await getRate();
    const end = performance.now() + workUs / 1000;
    while (performance.now() < end);
  }
  return sum;
}

let total = null;
setImmediate(setTimeout, () => {
  measure();
  priceAll().then((sum) => { total = sum; });
}, 1);

process.on('exit', () => {
  console.log(JSON.stringify({ seen: { total } }));
  console.log(JSON.stringify({ truth: {
    workload: 'await-in-hot-path', fixed: false, cause: 'microtask-flood',
    function: 'priceAll', blocks_ms: blocks, longest_drain: 3 * count + 1,
  } }));
});
