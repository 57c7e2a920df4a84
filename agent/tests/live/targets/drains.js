// Long drains of microtasks: three of 30,000 promises with two `then`s each, then one of 1,000
// `queueMicrotask`s. Truth: the drains with their lengths, and the time from first to last job.
'use strict';

const { target, drainOfPromises, drainOfMicrotasks } = require('./target.js');

const drains = [];

target({
  go(done) {
    const timer = setInterval(() => {
      if (drains.length < 3) {
        drainOfPromises(30_000, drains);
      } else if (drains.length === 3) {
        drainOfMicrotasks(1_000, drains);
      } else {
        clearInterval(timer);
        done();
      }
    }, 50);
  },
  truth: () => ({ drains }),
});
