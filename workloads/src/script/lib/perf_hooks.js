'use strict';
// The module `perf_hooks`. What it tells of the loop is what loopscope's own recorder knows:
//
// - `eventLoopUtilization`: active and idle time of the recorder, with the turn that goes on. Node
//   counts from when its loop starts; here the main script is a turn like others, so it is active
//   time.
// - `monitorEventLoopDelay`: Node's histogram holds the intervals of a timer, each the resolution
//   plus what the timer came late. Here nothing ticks: the histogram holds the arrival delay, what
//   an event would have waited that arrived at any instant since `enable`, one for each microsecond
//   that was observed (`count`), in nanoseconds and without the resolution. An idle loop is 0, a
//   block of 200 ms counts 200,000 times, spread evenly from 0 to 200 ms; the longest delay is the
//   longest turn. `resolution` is checked and makes no difference. Turns count when they end.
//
// internal.now() -> ns since the origin, internal.timeOrigin() -> ms since 1970,
// internal.loopTimes() -> [active ns, idle ns, turns], internal.markDelays(mark),
// internal.delaysSince(mark) -> [sum, min, max, ...[value, count]].

const { checkInteger, checkOptions } = require('internal/checks');
const { codes } = require('internal/errors');
const { Histogram, RecordableHistogram, addTo, empty } = require('internal/histogram');
const { each, map, slice } = require('internal/primordials');
const { PerformanceEntry, PerformanceMark, PerformanceMeasure, timeline } =
  require('internal/performance_entries');

const kMake = Symbol('make');

const now = () => internal.now() / 1e6;

function eventLoopUtilization(first, second) {
  if (second) return utilization(first.idle - second.idle, first.active - second.active);
  const times = internal.loopTimes();
  if (times === null) return { idle: 0, active: 0, utilization: 0 };
  const { 0: active, 1: idle } = map(times, (ns) => ns / 1e6);
  return first ? utilization(idle - first.idle, active - first.active) : utilization(idle, active);
}

function utilization(idle, active) {
  return { idle, active, utilization: idle + active === 0 ? 0 : active / (idle + active) };
}

class ELDHistogram extends Histogram {
  #kept = empty();
  #mark = -1;
  #enabled = false;

  constructor(token) {
    if (token !== kMake) throw new codes.ERR_ILLEGAL_CONSTRUCTOR();
    super(() => this.#all());
  }

  #all() {
    const all = empty();
    addTo(all, this.#kept);
    if (this.#enabled) addTo(all, this.#since());
    return all;
  }

  #since() {
    const since = internal.delaysSince(this.#mark) ?? [0, 0, 0];
    const { 0: sum, 1: min, 2: max } = since;
    const counts = slice(since, 3);
    return counts.length === 0 ? empty() : { sum, min, max, counts };
  }

  enable() {
    if (this.#enabled) return false;
    this.#enabled = true;
    this.#mark = internal.markDelays(this.#mark);
    return true;
  }

  disable() {
    if (!this.#enabled) return false;
    addTo(this.#kept, this.#since());
    this.#enabled = false;
    return true;
  }

  reset() {
    this.#kept = empty();
    if (this.#enabled) this.#mark = internal.markDelays(this.#mark);
  }
}

function monitorEventLoopDelay(options = {}) {
  checkOptions(options, 'options');
  const { resolution = 10 } = options;
  checkInteger(resolution, 'options.resolution', 1);
  return new ELDHistogram(kMake);
}

function createHistogram(options = {}) {
  checkOptions(options, 'options');
  return new RecordableHistogram();
}

// When the loop began, and with it the program: the main script is its first turn.
let began = -1;
function loopStart() {
  const times = began < 0 ? internal.loopTimes() : null;
  if (times !== null) began = Math.max(0, now() - (times[0] + times[1]) / 1e6);
  return began;
}

const nodeTiming = {
  name: 'node', entryType: 'node', startTime: 0,
  get duration() {
    return now();
  },
  get bootstrapComplete() {
    return loopStart();
  },
  get loopStart() {
    return loopStart();
  },
  get idleTime() {
    return (internal.loopTimes()?.[1] ?? 0) / 1e6;
  },
};

class Performance {
  constructor(token) {
    if (token !== kMake) throw new codes.ERR_ILLEGAL_CONSTRUCTOR();
  }
}

const performance = new Performance(kMake);
const own = {
  now, eventLoopUtilization, ...timeline(now),
  toJSON() {
    return { nodeTiming, timeOrigin: performance.timeOrigin,
      eventLoopUtilization: eventLoopUtilization() };
  },
};
for (const { 0: name, 1: value } of each(Object.entries(own))) {
  Object.defineProperty(Performance.prototype, name, {
    configurable: true, enumerable: true, writable: true, value,
  });
}
const constants = { nodeTiming, timeOrigin: internal.timeOrigin() };
for (const { 0: name, 1: value } of each(Object.entries(constants))) {
  Object.defineProperty(performance, name, { configurable: true, enumerable: true, value });
}
Object.defineProperty(Performance.prototype, Symbol.toStringTag, {
  configurable: true, value: 'Performance',
});

module.exports = {
  Performance, PerformanceEntry, PerformanceMark, PerformanceMeasure, createHistogram,
  eventLoopUtilization, monitorEventLoopDelay, performance,
};
