// title: A cache of promises: the first request loads, the others wait for it.
// fixed: Caches the promise at once, and takes it out again if the load fails.
// see: One parse, one drain of 903 jobs, and no block.
// args: --count=900 Requests in the burst.
// args: --work-us=200 Busy work of one parse.
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
const loadConfig = async (key) => parse(await readText(key));
function getConfig(key) {
  if (!cache.has(key)) {
    const loading = loadConfig(key);
    cache.set(key, loading);
    loading.catch(() => cache.delete(key)); // Else the failure would be cached for ever.
  }
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
    workload: 'promises/caching-promises', fixed: true, cause: 'healthy',
    function: null, blocks_ms: blocks, longest_drain: count + 3,
  } }));
});
