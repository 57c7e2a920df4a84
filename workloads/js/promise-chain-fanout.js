// title: A thousand chains of three reactions on one promise.
// wrong: Everybody who asks before the answer is there adds a chain to the same promise. When it
//   settles, all chains run to their ends in one drain.
// see: One drain of 3,000 jobs, and a block of 300 ms or more, behind an immediate that did nothing
//   but resolve.
// args: --count=1000 Chains on the promise.
// args: --work-us=100 Busy work in each of their three reactions.
// fixed: Keeps those who wait in a list and answers 10 of them a turn.
'use strict';

const { performance } = require('perf_hooks');
const given = new Map(process.argv.slice(2).map((arg) => arg.split('=')));
const count = Number(given.get('--count') ?? 1000);
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

function render() {
  const end = performance.now() + workUs / 1000;
  while (performance.now() < end);
}

let resolveReady;
const ready = new Promise((resolve) => { resolveReady = resolve; });
for (let i = 0; i < count; i++) ready.then(render).then(render).then(render);

setImmediate(() => {
  measure();
  resolveReady();
});

process.on('exit', () => {
  console.log(JSON.stringify({ truth: {
    workload: 'promise-chain-fanout', fixed: false, cause: 'microtask-flood',
    function: 'render', blocks_ms: blocks, longest_drain: 3 * count,
  } }));
});
