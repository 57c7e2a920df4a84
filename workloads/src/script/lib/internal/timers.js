// The objects behind timers and immediates. The loop keeps the lists and the order; here stand the
// callbacks.
//
// internal.setTimer(id, ms, repeats), clearTimer(id), refreshTimer(id) -> bool, holdTimer(id, bool);
// setImmediate(id), clearImmediate(id), holdImmediate(id, bool).
'use strict';

const { uncaught } = require('internal/fatal');

const TIMEOUT_MAX = 2 ** 31 - 1;
const kRefed = Symbol('refed');
const kId = Symbol('id');

const timers = new Map();
const immediates = new Map();
const primitives = new Map();
let last = 0;

function duration(ms) {
  const after = ms * 1;
  if (after >= 1 && after <= TIMEOUT_MAX) return after;
  if (after > TIMEOUT_MAX) {
    require('internal/process').emitWarning(
      `${after} does not fit into a 32-bit signed integer.\nTimeout duration was set to 1.`,
      'TimeoutOverflowWarning');
  }
  return 1;
}

// Notes on what is made, where somebody wants them.
const notes = new WeakMap();
let watcher;

function watch(callback) {
  watcher = callback;
}

function note(made, asked) {
  const taken = {};
  notes.set(made, taken);
  watcher(taken, made, asked);
}

// What waits, in the order in which it was made.
function waiting() {
  const all = [...timers.values(), ...immediates.values()].sort((a, b) => a[kId] - b[kId]);
  return all.map((made) => ({ what: describe(made), notes: notes.get(made) }));
}

function describe(made) {
  if (made instanceof Immediate) return 'setImmediate';
  return made._repeat === null ?
    `setTimeout of ${made._idleTimeout} ms` : `setInterval of ${made._repeat} ms`;
}

class Timeout {
  constructor(callback, ms, args, repeats) {
    this._idleTimeout = duration(ms);
    this._onTimeout = callback;
    this._timerArgs = args;
    this._repeat = repeats ? this._idleTimeout : null;
    this._destroyed = false;
    Object.defineProperty(this, kRefed, { value: true, writable: true });
    Object.defineProperty(this, kId, { value: 0, writable: true });
    start(this);
    if (watcher !== undefined) note(this, ms);
  }

  ref() {
    return hold(this, true);
  }

  unref() {
    return hold(this, false);
  }

  hasRef() {
    return this[kRefed];
  }

  refresh() {
    if (this._onTimeout === null) return this;
    if (this._running || !internal.refreshTimer(this[kId])) start(this);
    return this;
  }

  close() {
    clearTimeout(this);
    return this;
  }

  [Symbol.toPrimitive]() {
    primitives.set(this[kId], this);
    return this[kId];
  }

  [Symbol.dispose ?? Symbol.for('dispose')]() {
    clearTimeout(this);
  }
}

// Whether a callback runs is nobody's business but ours.
Object.defineProperty(Timeout.prototype, '_running', { value: false, writable: true });

function start(timer) {
  // A timer that is started again keeps the number by which it is known.
  if (timer[kId] === 0) timer[kId] = ++last;
  timer._destroyed = false;
  timers.set(timer[kId], timer);
  internal.setTimer(timer[kId], Math.trunc(timer._idleTimeout), timer._repeat !== null);
  if (!timer[kRefed]) internal.holdTimer(timer[kId], false);
}

function hold(timer, refed) {
  if (timer[kRefed] !== refed) {
    timer[kRefed] = refed;
    internal.holdTimer(timer[kId], refed);
  }
  return timer;
}

function destroy(timer) {
  timer._destroyed = true;
  timers.delete(timer[kId]);
  primitives.delete(timer[kId]);
}

function clearTimeout(timer) {
  if (typeof timer === 'number' || typeof timer === 'string') {
    timer = primitives.get(+timer);
  }
  if (timer === undefined || timer === null || !timer._onTimeout) return;
  timer._onTimeout = null;
  if (!(timer instanceof Timeout)) return;
  internal.clearTimer(timer[kId]);
  timer._idleTimeout = -1;
  destroy(timer);
}

// Called by the host. Returns whether the callback has failed.
function runTimer(id) {
  const timer = timers.get(id);
  if (timer === undefined || timer._onTimeout === null) return false;
  if (timer._repeat === null) timers.delete(id);
  let failed = false;
  try {
    const args = timer._timerArgs;
    if (args === undefined) timer._onTimeout();
    else timer._onTimeout(...args);
  } catch (error) {
    uncaught(error);
    failed = true;
  }
  if (timer._repeat === null && timers.get(id) !== timer) destroy(timer);
  return failed;
}

class Immediate {
  constructor(callback, args) {
    this._onImmediate = callback;
    this._argv = args;
    this._destroyed = false;
    Object.defineProperty(this, kRefed, { value: true, writable: true });
    Object.defineProperty(this, kId, { value: ++last });
    immediates.set(this[kId], this);
    internal.setImmediate(this[kId]);
    if (watcher !== undefined) note(this);
  }

  ref() {
    return holdImmediate(this, true);
  }

  unref() {
    return holdImmediate(this, false);
  }

  hasRef() {
    return Boolean(this[kRefed]);
  }

  [Symbol.dispose ?? Symbol.for('dispose')]() {
    clearImmediate(this);
  }
}

function holdImmediate(immediate, refed) {
  if (immediate[kRefed] === !refed) {
    immediate[kRefed] = refed;
    internal.holdImmediate(immediate[kId], refed);
  }
  return immediate;
}

function clearImmediate(immediate) {
  if (!(immediate instanceof Immediate) || immediate._destroyed) return;
  immediate._destroyed = true;
  immediate._onImmediate = null;
  immediate[kRefed] = null;
  immediates.delete(immediate[kId]);
  internal.clearImmediate(immediate[kId]);
}

// Called by the host. Returns whether the callback has failed.
function runImmediate(id) {
  const immediate = immediates.get(id);
  if (immediate === undefined) return false;
  immediates.delete(id);
  immediate._destroyed = true;
  immediate[kRefed] = null;
  let failed = false;
  try {
    const args = immediate._argv;
    if (args === undefined) immediate._onImmediate();
    else immediate._onImmediate(...args);
  } catch (error) {
    uncaught(error);
    failed = true;
  }
  immediate._onImmediate = null;
  return failed;
}

// The number by which the host knows a timer or immediate.
function idOf(made) {
  return made[kId];
}

module.exports = {
  Immediate, Timeout, clearImmediate, clearTimeout, idOf, runImmediate, runTimer, waiting, watch,
};
