// `process.nextTick` and `queueMicrotask`. Ticks stand here, and are run one at a time when the
// host says so; jobs stand in the engine.
//
// internal.setTicks(bool): whether ticks wait.
// internal.makeQueueMicrotask(refuse) -> function.
'use strict';

const { checkFunction } = require('internal/checks');

const { apply } = Reflect;

const OK = 0;
const MORE = 1;
const FAILED = 2;

// A ring: ticks stand from `head` to `tail`, at their numbers modulo its size, a power of two.
let ring = new Array(64).fill(undefined);
let head = 0;
let tail = 0;
let running = false;
let process;

function nextTick(callback, ...args) {
  if (typeof callback !== 'function') checkFunction(callback, 'callback');
  process ??= require('internal/process');
  if (process._exiting) return;
  if (head === tail && !running) internal.setTicks(true);
  if (tail - head === ring.length) grow();
  ring[tail++ & (ring.length - 1)] =
    args.length === 0 ? callback : () => apply(callback, undefined, args);
}

function grow() {
  const from = head & (ring.length - 1);
  const larger = [];
  for (let i = 0; i < ring.length; i++) larger[i] = ring[(from + i) & (ring.length - 1)];
  for (let i = ring.length; i < 2 * ring.length; i++) larger[i] = undefined;
  ring = larger;
  tail -= head;
  head = 0;
}

// Runs one tick. Returns whether another waits.
function runTick() {
  if (head === tail) return OK;
  const place = head++ & (ring.length - 1);
  const callback = ring[place];
  ring[place] = undefined;
  running = true;
  callback();
  running = false;
  return head === tail ? OK : MORE;
}

// Ends a tick that has thrown, after that was told.
function endTick() {
  running = false;
  return head === tail ? FAILED : FAILED | MORE;
}

const queueMicrotask = internal.makeQueueMicrotask((callback) => {
  checkFunction(callback, 'callback');
});

module.exports = { endTick, nextTick, queueMicrotask, runTick };
