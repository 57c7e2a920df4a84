// Busy for 8 ms of every 20, from the start to the end. Truth: the utilisation that Node itself
// gives for the time from `go` to the line `mark`.
'use strict';

const { performance } = require('perf_hooks');
const { busy, target } = require('./target.js');

let since = performance.eventLoopUtilization();
let used;

function mark() {
  used = performance.eventLoopUtilization(since);
}

setInterval(() => busy(8), 20);
target({
  go(done) {
    since = performance.eventLoopUtilization();
    setTimeout(done, 2_000);
  },
  mark,
  truth: () => {
    if (used === undefined) mark();
    const { utilization, active, idle } = used;
    return { utilization, active_ns: active * 1e6, idle_ns: idle * 1e6 };
  },
});
