// `process.nextTick` and `queueMicrotask`. Ticks stand here, and are run one at a time when the host
// says so; jobs stand in the engine.
//
// internal.setTicks(bool): whether ticks wait. internal.enqueueJob(function).
'use strict';

const { uncaught } = require('internal/fatal');
const { validateFunction } = require('internal/validate');

const OK = 0;
const MORE = 1;
const FAILED = 2;

let queue = [];
let next = 0;
let running = false;

function nextTick(callback, ...args) {
  validateFunction(callback, 'callback');
  if (require('internal/process')._exiting) return;
  if (next === queue.length && !running) internal.setTicks(true);
  queue.push(args.length === 0 ? callback : () => callback(...args));
}

function take() {
  const callback = queue[next];
  queue[next++] = undefined;
  if (next === queue.length) {
    queue = [];
    next = 0;
  } else if (next === 4096) {
    queue = queue.slice(next);
    next = 0;
  }
  return callback;
}

// Runs one tick. Returns whether it has failed, and whether another waits.
function runTick() {
  if (next === queue.length) return OK;
  const callback = take();
  let state = OK;
  running = true;
  try {
    callback();
  } catch (error) {
    uncaught(error);
    state = FAILED;
  }
  running = false;
  return next === queue.length ? state : state | MORE;
}

const enqueueJob = internal.enqueueJob;

function queueMicrotask(callback) {
  if (typeof callback !== 'function') validateFunction(callback, 'callback');
  enqueueJob(callback);
}

module.exports = { nextTick, queueMicrotask, runTick };
