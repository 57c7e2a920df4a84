// title: One timer for all sessions, worked through in slices.
// fixed: Arms one timer that works through the sessions in slices of 2 ms.
// see: No block: other timers are late by a slice at most.
// args: --count=1000 Sessions.
// args: --work-us=200 Busy work for each.
'use strict';

const { performance } = require('perf_hooks');
const given = new Map(process.argv.slice(2).map((arg) => arg.split('=')));
const count = Number(given.get('--count') ?? 1000);
const workUs = Number(given.get('--work-us') ?? 200);
const slice = Math.max(1, Math.floor(2000 / workUs));

// The time until the loop comes to its next immediate is a block if it is 50 ms or more.
const blocks = [];
function measure() {
  const began = performance.now();
  setImmediate(() => {
    const ms = performance.now() - began;
    if (ms >= 50) blocks.push(+ms.toFixed(1));
  });
}

function expire(left) {
  measure();
  const size = Math.min(slice, left);
  const end = performance.now() + (workUs / 1000) * size;
  while (performance.now() < end);
  if (left > size) setImmediate(expire, left - size);
}

setTimeout(expire, 20, count);

process.on('exit', () => {
  console.log(JSON.stringify({ truth: {
    workload: 'timer-storm', fixed: true, cause: 'healthy',
    function: null, blocks_ms: blocks, longest_drain: 0,
  } }));
});
