// title: An async function given to forEach, which takes no promise.
// wrong: forEach calls and forgets: it returns before any job is done, its try sees no error, all
//   jobs are started at once, and all that follows their first await is one drain.
// see: No job done when forEach returns, one drain of 2,000 jobs, a block of 200 ms or more, and an
//   unhandled rejection that would end Node with status 1.
// args: --count=2000 Jobs; the last one fails.
// args: --work-us=100 Busy work in each.
// fixed: Awaits each job in a plain loop, inside the try, and lets the loop turn behind each 20.
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

setTimeout(() => {
  measure();
  try {
    Array.from({ length: count }, (_, job) => job).forEach(runJob);
  } catch {
    caught++;
  }
  doneAtReturn = done;
}, 1);

process.on('exit', () => {
  console.log(JSON.stringify({ seen: { done_at_return: doneAtReturn, caught, unhandled } }));
  console.log(JSON.stringify({ truth: {
    workload: 'promises/apis-not-expecting-promises', fixed: false, cause: 'microtask-flood',
    function: 'runJob', blocks_ms: blocks, longest_drain: count,
  } }));
});
