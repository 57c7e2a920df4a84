// title: A retry without a pause, and a last error that nobody takes.
// wrong: The attempt fails at once, so catch and retry follow each other in one drain: nothing else
//   runs until the last attempt. Its error rejects a promise that nobody has a catch on.
// see: One drain of 2,000 jobs, a block of 200 ms or more, and one unhandled rejection. With
//   --listen=0 Node ends with status 1, before any timer.
// args: --count=2000 Attempts.
// args: --work-us=100 Busy work in each.
// args: --listen=1 Whether somebody listens for unhandled rejections: 0 or 1.
// fixed: Pauses before each retry, twice as long each time, five times at most, and takes the last
//   error.
'use strict';

const { performance } = require('perf_hooks');
const given = new Map(process.argv.slice(2).map((arg) => arg.split('=')));
const count = Number(given.get('--count') ?? 2000);
const workUs = Number(given.get('--work-us') ?? 100);
const listen = Number(given.get('--listen') ?? 1);

// The time until the loop comes to its next immediate is a block if it is 50 ms or more.
const blocks = [];
function measure() {
  const began = performance.now();
  setImmediate(() => {
    const ms = performance.now() - began;
    if (ms >= 50) blocks.push(+ms.toFixed(1));
  });
}

let attempts = 0;
async function attempt() {
  const end = performance.now() + workUs / 1000;
  while (performance.now() < end);
  attempts++;
  throw new Error('no connection');
}

async function connect() {
  for (let left = count; ; left--) {
    try {
      return await attempt();
    } catch (error) {
      if (!(left > 1)) throw error;
    }
  }
}

let unhandled = 0;
if (listen) process.on('unhandledRejection', () => { unhandled++; });
setTimeout(() => {
  measure();
  connect();
}, 1);

process.on('exit', () => {
  console.log(JSON.stringify({ seen: { attempts, unhandled } }));
  console.log(JSON.stringify({ truth: {
    workload: 'promises/errors-and-rejections', fixed: false, cause: 'microtask-flood',
    function: 'attempt', blocks_ms: blocks, longest_drain: count,
  } }));
});
