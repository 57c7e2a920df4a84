// title: Each request races against one promise that settles at the end.
// wrong: A race lets go of nothing: each leaves a reaction on the promise that lost. On one that
//   lives as long as the process they pile up, and when it settles at last all of them run in one
//   drain.
// see: 2,000 reactions left behind by requests that were answered long ago, one drain of 4,000 jobs
//   at shutdown, and a block of 200 ms or more.
// args: --count=2000 Requests, 100 a turn.
// args: --work-us=100 Busy work when one is told to stop.
// fixed: Keeps a list of the requests under way, and takes each off it when it is answered.
'use strict';

const { performance } = require('perf_hooks');
const given = new Map(process.argv.slice(2).map((arg) => arg.split('=')));
const count = Number(given.get('--count') ?? 2000);
const workUs = Number(given.get('--work-us') ?? 100);
const slice = 100;

// The time until the loop comes to its next immediate is a block if it is 50 ms or more.
const blocks = [];
function measure() {
  const began = performance.now();
  setImmediate(() => {
    const ms = performance.now() - began;
    if (ms >= 50) blocks.push(+ms.toFixed(1));
  });
}

let shutDown;
const shutdown = new Promise((resolve) => { shutDown = resolve; });

let [answered, stopped] = [0, 0];
function stop() {
  const end = performance.now() + workUs / 1000;
  while (performance.now() < end);
  stopped++;
  throw new Error('shut down');
}

function handleRequest() {
  Promise.race([Promise.resolve('answer'), shutdown.then(stop)]).then(() => { answered++; });
}

function serve(first) {
  measure();
  const last = Math.min(first + slice, count);
  for (let i = first; i < last; i++) handleRequest();
  if (last < count) setImmediate(serve, last);
  else setImmediate(() => { measure(); shutDown(); });
}
setTimeout(serve, 1, 0);

process.on('exit', () => {
  console.log(JSON.stringify({ seen: { answered, stopped_though_answered: stopped } }));
  console.log(JSON.stringify({ truth: {
    workload: 'promises/race-and-all', fixed: false, cause: 'microtask-flood',
    function: 'stop', blocks_ms: blocks, longest_drain: 2 * count,
  } }));
});
