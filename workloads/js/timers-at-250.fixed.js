// title: The same timers in a program that returns at once.
// fixed: Does not compute: each timer has a turn of its own, on time.
// see: No block; the immediate, then A, B, C and D.
'use strict';

const { performance } = require('perf_hooks');

// The time until the loop comes to its next immediate is a block if it is 50 ms or more.
const blocks = [];
function measure() {
  const began = performance.now();
  setImmediate(() => {
    const ms = performance.now() - began;
    if (ms >= 50) blocks.push(+ms.toFixed(1));
  });
}

const order = [];
for (const [name, ms] of [['A', 100], ['B', 200], ['C', 300], ['D', 400]]) {
  setTimeout(() => {
    measure();
    order.push(name);
  }, ms);
}
setImmediate(() => order.push('immediate'));

process.on('exit', () => {
  console.log(JSON.stringify({ seen: { order } }));
  console.log(JSON.stringify({ truth: {
    workload: 'timers-at-250', fixed: true, cause: 'healthy',
    function: null, blocks_ms: blocks, longest_drain: 0,
  } }));
});
