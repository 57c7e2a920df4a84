// Garbage: short-lived objects, and some that live longer, for a second. Truth: the pauses as
// Node's own performance entries have them, those before `done` and those of all the time.
'use strict';

const { PerformanceObserver } = require('perf_hooks');
const { now, target } = require('./target.js');

// Of `perf_hooks.constants`: a minor, a minor mark-compact and a major collection. Steps of
// incremental marking and weak callbacks are no pauses of the collector.
const PAUSES = [1, 2, 4];

const pauses = [];
const observer = new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) {
    const kind = entry.detail === undefined ? entry.kind : entry.detail.kind;
    if (PAUSES.includes(kind)) pauses.push({ kind, ns: Math.round(entry.duration * 1e6) });
  }
});

let kept = [];
let before;

// A fifth of the garbage outlives a few turns, so that collections of both kinds come about.
function litter() {
  const start = now();
  while (now() - start < 5e6) {
    const objects = [];
    for (let i = 0; i < 2_000; i += 1) objects.push({ i, text: `n${i}`, list: [i, i, i] });
    kept.push(objects.filter((object) => object.i % 5 === 0));
  }
  if (kept.length > 600) kept = [];
}

observer.observe({ entryTypes: ['gc'] });
target({
  go(done) {
    pauses.length = 0;
    const end = now() + 1e9;
    const timer = setInterval(() => {
      litter();
      if (now() < end) return;
      clearInterval(timer);
      // The entries come a little later than their pauses.
      setTimeout(() => {
        before = pauses.length;
        done();
      }, 100);
    }, 10);
  },
  truth: () => ({ pauses: pauses.slice(0, before), later: pauses.slice(before) }),
});
