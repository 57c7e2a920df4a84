// title: The same loop, which lets the event loop turn behind each 25 steps.
// fixed: Waits for a turn of the event loop behind each 25 steps.
// see: Drains of 26 jobs, the last of 27, no block, and an interval of 10 ms that fires all along.
// args: --count=2000 Turns of the loop of awaits.
// args: --work-us=100 Busy work in each.
'use strict';

const { performance } = require('perf_hooks');
const given = new Map(process.argv.slice(2).map((arg) => arg.split('=')));
const count = Number(given.get('--count') ?? 2000);
const workUs = Number(given.get('--work-us') ?? 100);
const slice = 25;

// The time until the loop comes to its next immediate is a block if it is 50 ms or more.
const blocks = [];
function measure() {
  const began = performance.now();
  setImmediate(() => {
    const ms = performance.now() - began;
    if (ms >= 50) blocks.push(+ms.toFixed(1));
  });
}

const cached = Promise.resolve('value');
let fired = 0;
const turn = () => new Promise((resolve) => setImmediate(resolve));

async function importAll() {
  measure();
  for (let i = 0; i < count; i++) {
    if (i > 0 && i % slice === 0) {
      await turn();
      measure();
    }
    await cached;
    const end = performance.now() + workUs / 1000;
    while (performance.now() < end);
  }
}

setImmediate(setTimeout, () => {
  const interval = setInterval(() => { fired++; }, 10);
  importAll().then(() => clearInterval(interval));
}, 1);

process.on('exit', () => {
  console.log(JSON.stringify({ seen: { interval_fired: fired } }));
  console.log(JSON.stringify({ truth: {
    workload: 'async-in-loop', fixed: true, cause: 'healthy',
    function: null, blocks_ms: blocks,
    longest_drain: count % slice || count === slice ? null : slice + 2,
  } }));
});
