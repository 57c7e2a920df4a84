// title: A thousand nested setTimeout(0): a second of waiting for nothing.
// wrong: A job takes itself on by setTimeout(0), which Node makes 1 ms. A thousand steps take a
//   second and more, and the loop is idle nearly all of it.
// see: No block, a second or more in all, and a utilization near zero. The loop is healthy, the job
//   is slow.
// args: --count=1000 Steps of the chain.
// fixed: Takes itself on by setImmediate.
'use strict';

const { performance } = require('perf_hooks');
const given = new Map(process.argv.slice(2).map((arg) => arg.split('=')));
const count = Number(given.get('--count') ?? 1000);

// The time until the loop comes to its next immediate is a block if it is 50 ms or more.
const blocks = [];
function measure() {
  const began = performance.now();
  setImmediate(() => {
    const ms = performance.now() - began;
    if (ms >= 50) blocks.push(+ms.toFixed(1));
  });
}

const began = performance.now();
let tookMs = null;
function step(left) {
  measure();
  if (left > 0) setTimeout(step, 0, left - 1);
  else tookMs = +(performance.now() - began).toFixed(1);
}
step(count);

process.on('exit', () => {
  console.log(JSON.stringify({ seen: { took_ms: tookMs } }));
  console.log(JSON.stringify({ truth: {
    workload: 'immediate-vs-timeout', fixed: false, cause: 'healthy',
    function: null, blocks_ms: blocks, longest_drain: 0,
  } }));
});
