// Timers that run late: an interval of 10 ms, and four times an immediate that holds the loop for
// 200 ms, so that the interval comes due meanwhile. Truth: the blocks, and how late the interval
// was, by the program's own clock.
'use strict';

const { now, busy, target } = require('./target.js');

const BLOCKS = 4;
const INTERVAL_MS = 10;
const TICKS_BETWEEN = 30;

const blocks = [];
const lateness = [];

target({
  go(done) {
    let ticks = 0;
    let before = 0;
    const timer = setInterval(() => {
      const at = now();
      if (before !== 0) lateness.push(at - before - INTERVAL_MS * 1e6);
      before = at;
      ticks += 1;
      if (ticks % TICKS_BETWEEN !== 0) return;
      if (blocks.length < BLOCKS) {
        setImmediate(() => blocks.push(busy(200)));
      } else {
        clearInterval(timer);
        done();
      }
    }, INTERVAL_MS);
  },
  truth: () => ({ blocks, lateness_max_ns: Math.max(...lateness), timers: lateness.length }),
});
