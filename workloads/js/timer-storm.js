// title: A thousand timers due in the same millisecond, each with a little work.
// wrong: A timer is armed for each session, all with the same delay. They come due together, and
//   the timers phase runs all that are due before the loop goes on: each is short, the last is late
//   by all the others.
// see: One block of 200 ms, or two if the arming took from one millisecond into the next, and a
//   last timer that is late by all of it.
// args: --count=1000 Timers.
// args: --work-us=200 Busy work in each.
// fixed: Arms one timer that works through the sessions in slices of 2 ms.
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

let due;
let lateMs;
let inTurn = 0;
function expire() {
  const now = performance.now();
  lateMs = +(now - due).toFixed(1);
  if (inTurn++ === 0) {
    measure();
    setImmediate(() => { inTurn = 0; });
  }
  while (performance.now() < now + workUs / 1000);
}

setImmediate(() => {
  due = performance.now() + 20;
  for (let i = 0; i < count; i++) setTimeout(expire, 20);
});

process.on('exit', () => {
  console.log(JSON.stringify({ seen: { last_timer_late_ms: lateMs } }));
  console.log(JSON.stringify({ truth: {
    workload: 'timer-storm', fixed: false, cause: 'timer-storm',
    function: 'expire', blocks_ms: blocks, longest_drain: 0,
  } }));
});
