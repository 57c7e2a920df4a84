// Holds its loop for 150 ms, ten times each way: by computing, by waiting for a lock, in a drain of
// microtasks, in a callback that sets timers all the while. Between two of them it rests. Truth:
// when each began and how long it took, by CLOCK_MONOTONIC.
'use strict';

const { now, target } = require('./target.js');

const MS = Number(process.argv[2] || 150);
const TIMES = 10;

const lock = new Int32Array(new SharedArrayBuffer(4));
const stalls = [];

function until(end, each) {
  while (now() < end) each();
}

function drain(end, then) {
  if (now() < end) Promise.resolve().then(() => drain(end, then));
  else then();
}

const ways = [
  ['computes', (end, then) => then(until(end, () => {}))],
  ['waits', (end, then) => then(Atomics.wait(lock, 0, 0, (end - now()) / 1e6))],
  ['drains', drain],
  ['sets timers', (end, then) => then(until(end, () => clearTimeout(setTimeout(() => {}, 1))))],
];

function next(done) {
  if (stalls.length === TIMES * ways.length) {
    done();
    return;
  }
  const [way, hold] = ways[stalls.length % ways.length];
  const start = now();
  hold(start + MS * 1e6, () => {
    stalls.push({ way, start_ns: start, duration_ns: now() - start });
    // Not a multiple of what the agent pauses for.
    setTimeout(next, 67 + stalls.length, done);
  });
}

target({ go: next, truth: () => ({ stalls }) });
