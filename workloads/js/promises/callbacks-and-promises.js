// title: A callback called from inside of then, with a catch behind it.
// wrong: What the callback throws is caught by the chain that called it, which then calls it again,
//   with its own error, as if the load had failed. The error never gets out.
// see: 1,010 calls for 1,000 loads, 10 loads said to have failed that did not, no exception seen,
//   and one drain of 2,000 jobs that blocks for 200 ms or more.
// args: --count=1000 Loads; the callback throws for each hundredth.
// args: --work-us=200 Busy work in each call.
// fixed: Leaves the chain by setImmediate before it calls, on one of two paths, 10 loads a turn.
'use strict';

const { performance } = require('perf_hooks');
const given = new Map(process.argv.slice(2).map((arg) => arg.split('=')));
const count = Number(given.get('--count') ?? 1000);
const workUs = Number(given.get('--work-us') ?? 200);

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
  Promise.resolve(key).then((value) => callback(null, value)).catch(callback);
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
setTimeout(() => {
  measure();
  for (let key = 0; key < count; key++) load(key, onLoad);
}, 1);

process.on('exit', () => {
  console.log(JSON.stringify({ seen: { calls, load_errors: loadErrors, uncaught } }));
  console.log(JSON.stringify({ truth: {
    workload: 'promises/callbacks-and-promises', fixed: false, cause: 'microtask-flood',
    function: 'onLoad', blocks_ms: blocks, longest_drain: 2 * count,
  } }));
});
