// title: A loop that awaits what is there already, two thousand times.
// wrong: It looks as if each await let others run, but a settled promise goes on in the same
//   microtask drain: the loop of awaits never leaves it, and no timer has a turn until it ends.
// see: One drain of 2,000 jobs, a block of 200 ms or more, and an interval of 10 ms that did not
//   fire in it.
// args: --count=2000 Turns of the loop of awaits.
// args: --work-us=100 Busy work in each.
// fixed: Waits for a turn of the event loop behind each 25 steps.
'use strict';

const { performance } = require('perf_hooks');
const given = new Map(process.argv.slice(2).map((arg) => arg.split('=')));
const count = Number(given.get('--count') ?? 2000);
const workUs = Number(given.get('--work-us') ?? 100);

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

async function importAll() {
  for (let i = 0; i < count; i++) {
    await cached;
    const end = performance.now() + workUs / 1000;
    while (performance.now() < end);
  }
}

setImmediate(setTimeout, () => {
  const interval = setInterval(() => { fired++; }, 10);
  measure();
  importAll().then(() => clearInterval(interval));
}, 1);

process.on('exit', () => {
  console.log(JSON.stringify({ seen: { interval_fired: fired } }));
  console.log(JSON.stringify({ truth: {
    workload: 'async-in-loop', fixed: false, cause: 'microtask-flood',
    function: 'importAll', blocks_ms: blocks, longest_drain: count + 1,
  } }));
});
