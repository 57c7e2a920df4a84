'use strict';
// A block of 50 ms is seen by what the recorder is asked.
const { monitorEventLoopDelay, performance } = require('perf_hooks');

const BLOCK_MS = 50;
const delays = monitorEventLoopDelay();
delays.enable();
const before = performance.eventLoopUtilization();
const { bootstrapComplete } = performance.nodeTiming;
const began = performance.now();

setTimeout(() => {
  for (const start = performance.now(); performance.now() - start < BLOCK_MS;);
  const isFixed = performance.nodeTiming.bootstrapComplete === bootstrapComplete
    && bootstrapComplete >= 0 && bootstrapComplete <= began;
  console.log(isFixed ? 'begin seen' : `begin: ${bootstrapComplete}`);
}, 1);
setTimeout(() => {
  const { max, min, mean, count } = delays;
  const isSeen = max >= BLOCK_MS * 1e6 * 0.98 && min < 1e6 && mean < max && count >= BLOCK_MS * 1e3;
  console.log(isSeen ? 'delays seen' : `delays: ${[min, mean, max, count]}`);
  const { active, idle, utilization } = performance.eventLoopUtilization(before);
  const isUsed = active >= BLOCK_MS && idle >= 0 && utilization === active / (active + idle);
  console.log(isUsed ? 'utilization seen' : `utilization: ${[active, idle, utilization]}`);
  delays.disable();
  delays.reset();
  console.log(delays.count === 0 ? 'reset' : `count: ${delays.count}`);
}, 100);
