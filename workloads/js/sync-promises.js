// title: 30,000 promises that are settled when they are made, two reactions each, in one drain.
// wrong: A request handler makes a promise for each entry of a list. All are settled already, so
//   every reaction runs in the one microtask drain behind the handler, and the loop waits for the
//   last of them.
// see: One drain of 60,000 jobs, a block of 300 ms or more, and a timer of 1 ms that is late by all
//   of it.
// args: --count=30000 Promises, each with two reactions.
// args: --work-us=5 Busy work in each reaction.
// fixed: Takes 250 entries a turn and lets the loop turn between them by setImmediate.
'use strict';

const fs = require('fs');
const { performance } = require('perf_hooks');
const given = new Map(process.argv.slice(2).map((arg) => arg.split('=')));
const count = Number(given.get('--count') ?? 30000);
const workUs = Number(given.get('--work-us') ?? 5);

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

function handleRequest() {
  for (let i = 0; i < count; i++) Promise.resolve(i).then(score).then(score);
}

let lateMs = null;
fs.stat('.', () => {
  const due = performance.now() + 1;
  setTimeout(() => { lateMs = +(performance.now() - due).toFixed(1); }, 1);
  measure();
  handleRequest();
});

process.on('exit', () => {
  console.log(JSON.stringify({ seen: { timer_late_ms: lateMs } }));
  console.log(JSON.stringify({ truth: {
    workload: 'sync-promises', fixed: false, cause: 'microtask-flood',
    function: 'score', blocks_ms: blocks, longest_drain: 2 * count,
  } }));
});
