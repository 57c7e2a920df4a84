// A service under load that has everything wrong with it that a dashboard shows: it computes,
// floods its queues, makes garbage that lives, waits synchronously, fills the thread pool, and once
// in each round is blocked for two seconds. Between that it serves timers, files and immediates.
// Truth: how many rounds it has begun.
'use strict';

const fs = require('fs');
const crypto = require('crypto');
const { busy, drainOfPromises, target } = require('./target.js');

const STEP_MS = 250;
const POOL_MS = 200;
const kept = [];
let rounds = 0;

// Some of it is kept for a while, so that collections of both kinds have something to do.
function garbage() {
  for (let i = 0; i < 20; i += 1) {
    kept.push(Array.from({ length: 20_000 }, (_, index) => ({ index, text: `${index}` })));
    if (kept.length > 10) kept.shift();
  }
}

// More jobs than the pool has threads, for so long that whoever looks each 40 ms sees some wait: a
// job queues the next as it ends.
function pool() {
  const end = performance.now() + POOL_MS;
  function job() {
    crypto.pbkdf2('password', 'salt', 20_000, 32, 'sha256', () => {
      if (performance.now() < end) job();
    });
  }
  for (let i = 0; i < 12; i += 1) job();
}

function waitSynchronously() {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 80);
}

const STEPS = [
  () => busy(120),
  () => drainOfPromises(300_000, []),
  garbage,
  pool,
  waitSynchronously,
  () => busy(2_000),
];

function round() {
  rounds += 1;
  STEPS.forEach((step, index) => setTimeout(step, index * STEP_MS));
  setTimeout(round, STEPS.length * STEP_MS);
}

function load() {
  setInterval(() => busy(1), 5);
  setInterval(() => setImmediate(() => {}), 10);
  setInterval(() => fs.readFile(__filename, () => {}), 20);
}

target({
  go(done) {
    load();
    round();
    done();
  },
  truth: () => ({ rounds }),
});
