// title: The same reactions in batches of 250 promises, with a turn of the loop behind each.
// fixed: Takes 250 entries a turn and lets the loop turn between them by setImmediate.
// see: Drains of 500 jobs, no block, and a timer of 1 ms that is late by a batch at most.
// args: --count=30000 Promises, each with two reactions.
// args: --work-us=5 Busy work in each reaction.
'use strict';

const fs = require('fs');
const { performance } = require('perf_hooks');
const given = new Map(process.argv.slice(2).map((arg) => arg.split('=')));
const count = Number(given.get('--count') ?? 30000);
const workUs = Number(given.get('--work-us') ?? 5);
const batch = 250;

// The time until the loop comes to its next immediate is a block if it is 50 ms or more.
const blocks = [];
function measure() {
  const began = performance.now();
  setImmediate(() => {
    const ms = performance.now() - began;
    if (ms >= 50) blocks.push(+ms.toFixed(1));
  });
}

function score() {
  const end = performance.now() + workUs / 1000;
  while (performance.now() < end);
}

function handleBatch(first) {
  measure();
  const last = Math.min(first + batch, count);
  for (let i = first; i < last; i++) Promise.resolve(i).then(score).then(score);
  if (last < count) setImmediate(handleBatch, last);
}

let lateMs = null;
fs.stat('.', () => {
  const due = performance.now() + 1;
  setTimeout(() => { lateMs = +(performance.now() - due).toFixed(1); }, 1);
  handleBatch(0);
});

process.on('exit', () => {
  console.log(JSON.stringify({ seen: { timer_late_ms: lateMs } }));
  console.log(JSON.stringify({ truth: {
    workload: 'sync-promises', fixed: true, cause: 'healthy',
    function: null, blocks_ms: blocks, longest_drain: 2 * Math.min(batch, count),
  } }));
});
