// title: A promise on which then is called twice, and on both results again.
// wrong: Each then begins a branch of its own. Eleven levels of two branches are 4,094 reactions of
//   one promise, all in one drain, and a catch is a branch as well: it sees nothing of the others.
// see: One drain of 4,095 jobs, a block of 200 ms or more, and an unhandled rejection though there
//   is a catch.
// args: --levels=11 How often the promise forks.
// args: --work-us=50 Busy work in each reaction.
// fixed: Keeps to one line: awaits step by step inside one try, 40 steps a turn.
'use strict';

const { performance } = require('perf_hooks');
const given = new Map(process.argv.slice(2).map((arg) => arg.split('=')));
const levels = Number(given.get('--levels') ?? 11);
const workUs = Number(given.get('--work-us') ?? 50);
const count = 2 ** (levels + 1) - 2;

// The time until the loop comes to its next immediate is a block if it is 50 ms or more.
const blocks = [];
function measure() {
  const began = performance.now();
  setImmediate(() => {
    const ms = performance.now() - began;
    if (ms >= 50) blocks.push(+ms.toFixed(1));
  });
}

let steps = 0;
function step() {
  const end = performance.now() + workUs / 1000;
  while (performance.now() < end);
  if (++steps === count) throw new Error('the last step failed');
}

function fork(promise, left) {
  if (!(left > 0)) return;
  fork(promise.then(step), left - 1);
  fork(promise.then(step), left - 1);
}

let [caught, unhandled] = [0, 0];
process.on('unhandledRejection', () => { unhandled++; });
setTimeout(() => {
  measure();
  const start = Promise.resolve();
  fork(start, levels);
  start.catch(() => { caught++; }); // A branch more, that sees none of the others.
}, 1);

process.on('exit', () => {
  console.log(JSON.stringify({ seen: { steps, caught, unhandled } }));
  console.log(JSON.stringify({ truth: {
    workload: 'promises/branching-and-forking', fixed: false, cause: 'microtask-flood',
    function: 'step', blocks_ms: blocks, longest_drain: count + 1,
  } }));
});
