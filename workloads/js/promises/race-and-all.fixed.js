// title: The same requests, told to stop only while they are under way.
// fixed: Keeps a list of the requests under way, and takes each off it when it is answered.
// see: Nothing left to stop at shutdown, drains of 300 jobs, and no block.
// args: --count=2000 Requests, 100 a turn.
// args: --work-us=100 Busy work when one is told to stop.
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

const underWay = new Set();

let [answered, stopped] = [0, 0];
function stop(reject) {
  const end = performance.now() + workUs / 1000;
  while (performance.now() < end);
  stopped++;
  reject(new Error('shut down'));
}

function handleRequest() {
  new Promise((resolve, reject) => {
    underWay.add(reject);
    Promise.resolve('answer').then(resolve).then(() => underWay.delete(reject));
  }).then(() => { answered++; });
}

function serve(first) {
  measure();
  const last = Math.min(first + slice, count);
  for (let i = first; i < last; i++) handleRequest();
  if (last < count) setImmediate(serve, last);
  else setImmediate(() => { measure(); underWay.forEach(stop); });
}
setTimeout(serve, 1, 0);

process.on('exit', () => {
  console.log(JSON.stringify({ seen: { answered, stopped_though_answered: stopped } }));
  console.log(JSON.stringify({ truth: {
    workload: 'promises/race-and-all', fixed: true, cause: 'healthy',
    function: null, blocks_ms: blocks, longest_drain: 3 * Math.min(slice, count),
  } }));
});
