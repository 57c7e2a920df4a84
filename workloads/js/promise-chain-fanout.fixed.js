// title: The same work for those who wait, ten of them a turn.
// fixed: Keeps those who wait in a list and answers 10 of them a turn.
// see: Drains of 30 jobs, and no block.
// args: --count=1000 Chains.
// args: --work-us=100 Busy work in each of their three reactions.
'use strict';

const { performance } = require('perf_hooks');
const given = new Map(process.argv.slice(2).map((arg) => arg.split('=')));
const count = Number(given.get('--count') ?? 1000);
const workUs = Number(given.get('--work-us') ?? 100);
const slice = 10;

// The time until the loop comes to its next immediate is a block if it is 50 ms or more.
const blocks = [];
function measure() {
  const began = performance.now();
  setImmediate(() => {
    const ms = performance.now() - began;
    if (ms >= 50) blocks.push(+ms.toFixed(1));
  });
}

function render() {
  const end = performance.now() + workUs / 1000;
  while (performance.now() < end);
}

const waiting = [];
for (let i = 0; i < count; i++) {
  new Promise((resolve) => waiting.push(resolve)).then(render).then(render).then(render);
}

function answer() {
  measure();
  for (const resolve of waiting.splice(0, slice)) resolve();
  if (waiting.length > 0) setImmediate(answer);
}

setImmediate(answer);

process.on('exit', () => {
  console.log(JSON.stringify({ truth: {
    workload: 'promise-chain-fanout', fixed: true, cause: 'healthy',
    function: null, blocks_ms: blocks, longest_drain: 3 * Math.min(slice, count),
  } }));
});
