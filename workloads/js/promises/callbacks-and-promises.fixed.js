// title: The same callback, called outside of the chain.
// fixed: Leaves the chain by setImmediate before it calls, on one of two paths, 10 loads a turn.
// see: 1,000 calls, no load said to have failed, 10 exceptions where exceptions go, and no block.
// args: --count=1000 Loads; the callback throws for each hundredth.
// args: --work-us=200 Busy work in each call.
'use strict';

const { performance } = require('perf_hooks');
const given = new Map(process.argv.slice(2).map((arg) => arg.split('=')));
const count = Number(given.get('--count') ?? 1000);
const workUs = Number(given.get('--work-us') ?? 200);
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

function load(key, callback) {
  Promise.resolve(key).then(
    (value) => setImmediate(callback, null, value),
    (error) => setImmediate(callback, error),
  );
}

let [calls, loadErrors, uncaught] = [0, 0, 0];
function onLoad(error, value) {
  const end = performance.now() + workUs / 1000;
  while (performance.now() < end);
  calls++;
  if (error) loadErrors++;
  else if (value % 100 === 0) throw new Error('a bug in the callback');
}

process.on('uncaughtException', () => { uncaught++; });
function loadSlice(first) {
  measure();
  const last = Math.min(first + slice, count);
  for (let key = first; key < last; key++) load(key, onLoad);
  if (last < count) setImmediate(loadSlice, last);
}
setTimeout(loadSlice, 1, 0);

process.on('exit', () => {
  console.log(JSON.stringify({ seen: { calls, load_errors: loadErrors, uncaught } }));
  console.log(JSON.stringify({ truth: {
    workload: 'promises/callbacks-and-promises', fixed: true, cause: 'healthy',
    function: null, blocks_ms: blocks, longest_drain: Math.min(slice, count),
  } }));
});
