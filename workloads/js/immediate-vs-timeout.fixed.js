// title: The same chain by setImmediate: a thousand turns that wait for nothing.
// fixed: Takes itself on by setImmediate.
// see: No block, and a few milliseconds in all.
// args: --count=1000 Steps of the chain.
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
  if (left > 0) setImmediate(step, left - 1);
  else tookMs = +(performance.now() - began).toFixed(1);
}
step(count);

process.on('exit', () => {
  console.log(JSON.stringify({ seen: { took_ms: tookMs } }));
  console.log(JSON.stringify({ truth: {
    workload: 'immediate-vs-timeout', fixed: true, cause: 'healthy',
    function: null, blocks_ms: blocks, longest_drain: 0,
  } }));
});
