// title: A nextTick callback that queues the next one: all other work starves.
// wrong: A job takes itself on by process.nextTick. All ticks run behind a callback, those queued
//   by ticks too, so neither microtasks nor timers have a turn until the recursion ends.
// see: One tick drain of 20,000, a block of 200 ms or more, and a microtask that ran last.
// args: --count=20000 Steps of the recursion.
// args: --work-us=10 Busy work in each step.
// fixed: Takes itself on by setImmediate, a slice of 100 steps a turn.
'use strict';

const fs = require('fs');
const { performance } = require('perf_hooks');
const given = new Map(process.argv.slice(2).map((arg) => arg.split('=')));
const count = Number(given.get('--count') ?? 20000);
const workUs = Number(given.get('--work-us') ?? 10);

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
  if (++steps < count) process.nextTick(step);
}

let stepsBeforeMicrotask = null;
fs.stat('.', () => {
  measure();
  queueMicrotask(() => { stepsBeforeMicrotask = steps; });
  step();
});

process.on('exit', () => {
  console.log(JSON.stringify({ seen: { steps_before_microtask: stepsBeforeMicrotask } }));
  console.log(JSON.stringify({ truth: {
    workload: 'next-tick-recursion', fixed: false, cause: 'next-tick-starvation',
    function: 'step', blocks_ms: blocks, longest_drain: 1,
  } }));
});
