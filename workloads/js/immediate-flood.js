// title: A thousand immediates queued at once, each with a little work.
// wrong: To be kind to the loop every item of a list is handed to setImmediate, all at once. The
//   check phase runs all that are queued when it begins, so the loop has its next turn when the
//   last one is done.
// see: One block of 200 ms or more, though no callback takes longer than 0.2 ms.
// args: --count=1000 Immediates.
// args: --work-us=200 Busy work in each.
// fixed: Queues the items in slices of 2 ms; each slice queues the next.
'use strict';

const fs = require('fs');
const { performance } = require('perf_hooks');
const given = new Map(process.argv.slice(2).map((arg) => arg.split('=')));
const count = Number(given.get('--count') ?? 1000);
const workUs = Number(given.get('--work-us') ?? 200);

const blocks = [];
function handleItem() {
  const end = performance.now() + workUs / 1000;
  while (performance.now() < end);
}

fs.stat('.', () => {
  const began = performance.now();
  for (let i = 0; i < count; i++) setImmediate(handleItem);
  setImmediate(() => {
    const ms = performance.now() - began;
    if (ms >= 50) blocks.push(+ms.toFixed(1));
  });
});

process.on('exit', () => {
  console.log(JSON.stringify({ truth: {
    workload: 'immediate-flood', fixed: false, cause: 'immediate-flood',
    function: 'handleItem', blocks_ms: blocks, longest_drain: 0,
  } }));
});
