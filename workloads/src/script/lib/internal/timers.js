// The objects behind timers and immediates. The loop keeps the lists and the order; here stand the
// callbacks, in slots, whose numbers the loop gives back. A free slot holds the number of the next.
//
// internal.setTimer(slot, ms, repeats), clearTimer(slot), refreshTimer(slot), holdTimer(slot, bool);
// setImmediate(slot), clearImmediate(slot), holdImmediate(slot, bool).
'use strict';

const { uncaught } = require('internal/fatal');

const TIMEOUT_MAX = 2 ** 31 - 1;
const NO_SLOT = -1;

const timers = [];
let freeTimer = 0;
const immediates = [];
let freeImmediate = 0;
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
  const all = [...timers, ...immediates].filter((made) => typeof made === 'object');
  all.sort((a, b) => numberOf(a) - numberOf(b));
  return all.map((made) => ({ what: describe(made), notes: notes.get(made) }));
}

function numberOf(made) {
  return made instanceof Immediate ? Immediate.number(made) : Timeout.number(made);
}

function describe(made) {
  if (made instanceof Immediate) return 'setImmediate';
  return made._repeat === null ?
    `setTimeout of ${made._idleTimeout} ms` : `setInterval of ${made._repeat} ms`;
}

class Timeout {
  #refed = true;
  #slot = NO_SLOT;
  // A timer that is started again keeps the number by which it is known.
  #number = ++last;
  #isPrimitive = false;

  constructor(callback, ms, args, repeats) {
    this._idleTimeout = duration(ms);
    this._onTimeout = callback;
    this._timerArgs = args;
    this._repeat = repeats ? this._idleTimeout : null;
    this._destroyed = false;
    this.#start();
    if (watcher !== undefined) note(this, ms);
  }

  static number(timer) {
    return timer.#number;
  }

  static slot(timer) {
    return timer.#slot;
  }

  ref() {
    return this.#hold(true);
  }

  unref() {
    return this.#hold(false);
  }

  hasRef() {
    return this.#refed;
  }

  refresh() {
    if (this._onTimeout === null) return this;
    if (this.#slot === NO_SLOT) this.#start();
    else internal.refreshTimer(this.#slot);
    return this;
  }

  close() {
    Timeout.clear(this);
    return this;
  }

  [Symbol.toPrimitive]() {
    this.#isPrimitive = true;
    primitives.set(this.#number, this);
    return this.#number;
  }

  [Symbol.dispose ?? Symbol.for('dispose')]() {
    Timeout.clear(this);
  }

  #start() {
    const slot = freeTimer;
    freeTimer = slot === timers.length ? slot + 1 : timers[slot];
    timers[slot] = this;
    this.#slot = slot;
    this._destroyed = false;
    internal.setTimer(slot, Math.trunc(this._idleTimeout), this._repeat !== null);
    if (!this.#refed) internal.holdTimer(slot, false);
  }

  #hold(refed) {
    if (this.#refed !== refed) {
      this.#refed = refed;
      if (this.#slot !== NO_SLOT) internal.holdTimer(this.#slot, refed);
    }
    return this;
  }

  #release() {
    timers[this.#slot] = freeTimer;
    freeTimer = this.#slot;
    this.#slot = NO_SLOT;
  }

  #destroy() {
    this._destroyed = true;
    if (this.#isPrimitive) primitives.delete(this.#number);
  }

  static clear(timer) {
    timer._onTimeout = null;
    if (timer.#slot !== NO_SLOT) {
      internal.clearTimer(timer.#slot);
      timer.#release();
    }
    timer._idleTimeout = -1;
    timer.#destroy();
  }

  // Returns whether the callback has failed.
  static run(slot) {
    const timer = timers[slot];
    if (typeof timer !== 'object' || timer._onTimeout === null) return false;
    if (timer._repeat === null) timer.#release();
    let failed = false;
    try {
      const args = timer._timerArgs;
      if (args === undefined) timer._onTimeout();
      else timer._onTimeout(...args);
    } catch (error) {
      uncaught(error);
      failed = true;
    }
    if (timer._repeat === null && timer.#slot === NO_SLOT) timer.#destroy();
    return failed;
  }
}

function clearTimeout(timer) {
  if (typeof timer === 'number' || typeof timer === 'string') {
    timer = primitives.get(+timer);
  }
  if (timer === undefined || timer === null || !timer._onTimeout) return;
  if (timer instanceof Timeout) Timeout.clear(timer);
  else timer._onTimeout = null;
}

class Immediate {
  #refed = true;
  #slot;
  #number = ++last;

  constructor(callback, args) {
    this._onImmediate = callback;
    this._argv = args;
    this._destroyed = false;
    const slot = freeImmediate;
    freeImmediate = slot === immediates.length ? slot + 1 : immediates[slot];
    immediates[slot] = this;
    this.#slot = slot;
    internal.setImmediate(slot);
    if (watcher !== undefined) note(this);
  }

  static number(immediate) {
    return immediate.#number;
  }

  static slot(immediate) {
    return immediate.#slot;
  }

  ref() {
    return this.#hold(true);
  }

  unref() {
    return this.#hold(false);
  }

  hasRef() {
    return Boolean(this.#refed);
  }

  [Symbol.dispose ?? Symbol.for('dispose')]() {
    clearImmediate(this);
  }

  // What has run, or was cleared, is neither held nor not.
  #hold(refed) {
    if (this.#refed === !refed) {
      this.#refed = refed;
      internal.holdImmediate(this.#slot, refed);
    }
    return this;
  }

  #release() {
    immediates[this.#slot] = freeImmediate;
    freeImmediate = this.#slot;
    this._destroyed = true;
    this.#refed = null;
  }

  static clear(immediate) {
    if (immediate._destroyed) return;
    internal.clearImmediate(immediate.#slot);
    immediate.#release();
    immediate._onImmediate = null;
  }

  // Returns whether the callback has failed.
  static run(slot) {
    const immediate = immediates[slot];
    if (typeof immediate !== 'object') return false;
    immediate.#release();
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
}

function clearImmediate(immediate) {
  if (immediate instanceof Immediate) Immediate.clear(immediate);
}

// The number by which the host knows a timer or immediate that waits.
function slotOf(made) {
  return made instanceof Immediate ? Immediate.slot(made) : Timeout.slot(made);
}

module.exports = {
  Immediate, Timeout, clearImmediate, clearTimeout, slotOf, waiting, watch,
  runImmediate: Immediate.run, runTimer: Timeout.run,
};
