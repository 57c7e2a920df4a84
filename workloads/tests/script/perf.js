'use strict';
// What does not depend on time.
const { createHistogram, monitorEventLoopDelay, performance } = require('perf_hooks');

const log = console.log;
const delays = monitorEventLoopDelay({ resolution: 5 });
log(delays.min, delays.max, delays.mean, delays.stddev, delays.count, delays.minBigInt);
log([...delays.percentiles], delays.enable(), delays.enable(), delays.disable(), delays.disable());
log(JSON.stringify(performance.mark('a', { startTime: 5, detail: 1 })));
log(performance.mark('b', { startTime: 7 }).duration);
log(JSON.stringify(performance.measure('m', 'a', 'b')));
log(JSON.stringify(performance.measure('n', { start: 1, duration: 2 })));
log(performance.getEntries().map((entry) => entry.name));
log(performance.getEntriesByType('mark').length);
log(performance.getEntriesByName('m').length);
performance.clearMarks('a');
log(performance.getEntries().length);
performance.clearMarks();
performance.clearMeasures();
log(performance.getEntries().length, performance.timeOrigin > 1e12, performance.now() > 0);
const earlier = { idle: 1, active: 2, utilization: 2 / 3 };
const own = createHistogram();
own.record(5);
own.record(10n);
own.record(100);
log(own.min, own.max, own.mean, own.stddev, own.count, [...own.percentiles], own.percentile(50));
own.reset();
log(own.count, own.exceeds);
for (const attempt of [
  () => monitorEventLoopDelay({ resolution: 0 }), () => monitorEventLoopDelay(5),
  () => own.percentile(0), () => own.percentile('x'), () => own.record(0),
  () => performance.measure('x', 'none'),
]) {
  try {
    attempt();
  } catch (error) {
    log(error.name, error.code, error.message);
  }
}
// Node knows of no use before its loop has begun.
setImmediate(() => {
  log(performance.eventLoopUtilization({ idle: 2, active: 5, utilization: 5 / 7 }, earlier));
});
