// title: The same attempts with pauses between them, and an error that is taken.
// fixed: Pauses before each retry, twice as long each time, five times at most, and takes the last
//   error.
// see: Drains of 2 jobs, no block, and the error where it is looked for.
// args: --count=5 Attempts.
// args: --work-us=100 Busy work in each.
// args: --pause-ms=5 The first pause.
'use strict';

const { performance } = require('perf_hooks');
const given = new Map(process.argv.slice(2).map((arg) => arg.split('=')));
const count = Number(given.get('--count') ?? 5);
const workUs = Number(given.get('--work-us') ?? 100);
const pauseMs = Number(given.get('--pause-ms') ?? 5);

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
  measure();
  const end = performance.now() + workUs / 1000;
  while (performance.now() < end);
  attempts++;
  throw new Error('no connection');
}

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

async function connect() {
  for (let left = count, ms = pauseMs; ; left--, ms *= 2) {
    try {
      return await attempt();
    } catch (error) {
      if (!(left > 1)) throw error;
      await pause(ms);
    }
  }
}

let [caught, unhandled] = [0, 0];
process.on('unhandledRejection', () => { unhandled++; });
setTimeout(() => connect().catch(() => { caught++; }), 1);

process.on('exit', () => {
  console.log(JSON.stringify({ seen: { attempts, caught, unhandled } }));
  console.log(JSON.stringify({ truth: {
    workload: 'promises/errors-and-rejections', fixed: true, cause: 'healthy',
    function: null, blocks_ms: blocks, longest_drain: count > 1 ? 3 : 2,
  } }));
});
