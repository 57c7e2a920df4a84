// title: A cache that is filled when the answer is there, and not when it is asked for.
// wrong: All requests of a burst miss, as none of them has filled the cache yet: each loads and
//   parses the same file.
// see: 900 parses of one file, one drain of 2,700 jobs, and a block of 180 ms or more.
// args: --count=900 Requests in the burst.
// args: --work-us=200 Busy work of one parse.
// fixed: Caches the promise at once, and takes it out again if the load fails.
'use strict';

const { performance } = require('perf_hooks');
const given = new Map(process.argv.slice(2).map((arg) => arg.split('=')));
const count = Number(given.get('--count') ?? 900);
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

const disk = Promise.resolve('text');
async function readText() {
  return await disk;
}

let parses = 0;
function parse(text) {
  const end = performance.now() + workUs / 1000;
  while (performance.now() < end);
  parses++;
  return { text };
}

const cache = new Map();
async function getConfig(key) {
  if (!cache.has(key)) cache.set(key, parse(await readText(key)));
  return cache.get(key);
}

let answered = 0;
const handleRequest = async () => { await getConfig('config'); answered++; };
setTimeout(() => {
  measure();
  for (let i = 0; i < count; i++) handleRequest();
}, 1);

process.on('exit', () => {
  console.log(JSON.stringify({ seen: { parses, answered } }));
  console.log(JSON.stringify({ truth: {
    workload: 'promises/caching-promises', fixed: false, cause: 'microtask-flood',
    function: 'parse', blocks_ms: blocks, longest_drain: 3 * count,
  } }));
});
