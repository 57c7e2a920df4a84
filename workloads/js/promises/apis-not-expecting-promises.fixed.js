// title: The same jobs, awaited in a plain loop.
// fixed: Awaits each job in a plain loop, inside the try, and lets the loop turn behind each 20.
// see: All jobs done when the loop has ended, the error caught, drains of 41 jobs, and no block.
// args: --count=2000 Jobs; the last one fails.
// args: --work-us=100 Busy work in each.
'use strict';

const { performance } = require('perf_hooks');
const given = new Map(process.argv.slice(2).map((arg) => arg.split('=')));
const count = Number(given.get('--count') ?? 2000);
const workUs = Number(given.get('--work-us') ?? 100);
const slice = 20;

// The time until the loop comes to its next immediate is a block if it is 50 ms or more.
const blocks = [];
function measure() {
  const began = performance.now();
  setImmediate(() => {
    const ms = performance.now() - began;
    if (ms >= 50) blocks.push(+ms.toFixed(1));
  });
}

const settings = Promise.resolve({});
let done = 0;
async function runJob(job) {
  await settings;
  const end = performance.now() + workUs / 1000;
  while (performance.now() < end);
  done++;
  if (job === count - 1) throw new Error(`job ${job} failed`);
}

let [doneAtReturn, caught, unhandled] = [null, 0, 0];
process.on('unhandledRejection', () => { unhandled++; });
const turn = () => new Promise((resolve) => setImmediate(resolve));

setTimeout(async () => {
  try {
    for (let job = 0; job < count; job++) {
      if (job > 0 && job % slice === 0) await turn();
      if (job % slice === 0) measure();
      await runJob(job);
    }
  } catch {
    caught++;
  }
  doneAtReturn = done;
}, 1);

process.on('exit', () => {
  console.log(JSON.stringify({ seen: { done_at_return: doneAtReturn, caught, unhandled } }));
  console.log(JSON.stringify({ truth: {
    workload: 'promises/apis-not-expecting-promises', fixed: true, cause: 'healthy',
    function: null, blocks_ms: blocks, longest_drain: count < 2 * slice ? null : 2 * slice + 1,
  } }));
});
