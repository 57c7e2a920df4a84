// Queues within queues: five drains of 2,000 jobs. Each evaluates scripts in a context that has a
// queue of its own, which is drained behind each of them. Truth: the outer drains.
'use strict';

const vm = require('vm');
const { now, target } = require('./target.js');

const JOBS = 2_000;
const DRAINS = 5;
const inner = vm.createContext({}, { microtaskMode: 'afterEvaluate' });
const script = new vm.Script('for (let i = 0; i < 300; i += 1) Promise.resolve().then(() => {});');
const drains = [];
let nested = 0;

function drain() {
  let ran = 0;
  let first = 0;
  const job = () => {
    ran += 1;
    if (ran === 1) first = now();
    if (ran % 500 === 0) {
      script.runInContext(inner);
      nested += 1;
    }
    if (ran === JOBS) drains.push({ length: JOBS, ns: now() - first });
  };
  for (let i = 0; i < JOBS; i += 1) queueMicrotask(job);
}

target({
  go(done) {
    const timer = setInterval(() => {
      if (drains.length < DRAINS) {
        drain();
      } else {
        clearInterval(timer);
        setTimeout(done, 20);
      }
    }, 20);
  },
  truth: () => ({ drains, nested }),
});
