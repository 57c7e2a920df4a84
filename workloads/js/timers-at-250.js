// title: Timers of 100 to 400 ms, and a loop that comes to them at t+250.
// wrong: The program computes for 250 ms behind the arming of its timers, so two of them are late
//   when the loop comes to them.
// see: A block of 250 ms, then A and B in one go, the immediate, and C and D when they are due.
// args: --block-ms=250 How long the program computes.
// fixed: Does not compute: each timer has a turn of its own, on time.
'use strict';

const { performance } = require('perf_hooks');
const given = new Map(process.argv.slice(2).map((arg) => arg.split('=')));
const blockMs = Number(given.get('--block-ms') ?? 250);

// The time until the loop comes to its next immediate is a block if it is 50 ms or more. The first
// turn begins with the program.
const blocks = [];
function measure() {
  const began = performance.nodeTiming.bootstrapComplete;
  setImmediate(() => {
    const ms = performance.now() - began;
    if (ms >= 50) blocks.push(+ms.toFixed(1));
  });
}

const order = [];
for (const [name, ms] of [['A', 100], ['B', 200], ['C', 300], ['D', 400]]) {
  setTimeout(() => order.push(name), ms);
}
setImmediate(() => order.push('immediate'));

function compute() {
  const end = performance.now() + blockMs;
  while (performance.now() < end);
}

measure();
compute();

process.on('exit', () => {
  console.log(JSON.stringify({ seen: { order } }));
  console.log(JSON.stringify({ truth: {
    workload: 'timers-at-250', fixed: false, cause: 'cpu-bound-callback',
    function: 'compute', blocks_ms: blocks, longest_drain: 0,
  } }));
});
