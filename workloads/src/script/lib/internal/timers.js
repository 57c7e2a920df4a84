// The objects behind timers and immediates. The loop keeps the lists and the order; here stand the
// callbacks, in slots, whose numbers the loop gives back. A free slot holds the number of the next.
//
// internal.setTimer(slot, ms, repeats), clearTimer(slot), refreshTimer(slot), holdTimer(slot,
// bool); setImmediate(slot), clearImmediate(slot), holdImmediate(slot, bool).
'use strict';

const { concat, filter, map, sort } = require('internal/primordials');

const { apply } = Reflect;

const TIMEOUT_MAX = 2 ** 31 - 1;
const NO_SLOT = -1;

const timers = [];
let freeTimer = 0;
const immediates = [];
let freeImmediate = 0;

// What ran last, for when it throws.
let ran;

// The slot of the timeout that runs, taken until that has ended: the loop knows it by that.
let spent = NO_SLOT;

// What was asked for its number, by that.
const primitives = new Map();
const numbers = new WeakMap();
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
  const taken = { order: ++last };
  notes.set(made, taken);
  watcher(taken, made, asked);
}

// What waits of what there are notes on, in the order in which it was made.
function waiting() {
  const waits = (made, place) => place !== spent && notes.has(made);
  const all = filter(concat(timers, immediates), waits);
  const listed = map(all, (made) => ({ what: describe(made), notes: notes.get(made) }));
  return sort(listed, (a, b) => a.notes.order - b.notes.order);
}

function describe(made) {
  if (made instanceof Immediate) return 'setImmediate';
  return made._repeat === null ?
    `setTimeout of ${made._idleTimeout} ms` : `setInterval of ${made._repeat} ms`;
}

class Timeout {
  #refed = true;
  #slot = NO_SLOT;

  constructor(callback, ms, args, repeats) {
    this._idleTimeout = duration(ms);
    this._onTimeout = callback;
    this._timerArgs = args;
    this._repeat = repeats ? this._idleTimeout : null;
    this._destroyed = false;
    Timeout.start(this);
    if (watcher !== undefined) note(this, ms);
  }

  static slot(timer) {
    return timer.#slot;
  }

  ref() {
    return Timeout.hold(this, true);
  }

  unref() {
    return Timeout.hold(this, false);
  }

  hasRef() {
    return this.#refed;
  }

  refresh() {
    if (this._onTimeout === null) return this;
    if (this.#slot === NO_SLOT) Timeout.start(this);
    else internal.refreshTimer(this.#slot);
    return this;
  }

  close() {
    Timeout.clear(this);
    return this;
  }

  [Symbol.toPrimitive]() {
    // A timer that is started again keeps the number by which it is known.
    const number = numbers.get(this) ?? ++last;
    numbers.set(this, number);
    primitives.set(number, this);
    return number;
  }

  [Symbol.dispose ?? Symbol.for('dispose')]() {
    Timeout.clear(this);
  }

  static start(timer) {
    const slot = freeTimer;
    freeTimer = slot === timers.length ? slot + 1 : timers[slot];
    timers[slot] = timer;
    timer.#slot = slot;
    timer._destroyed = false;
    internal.setTimer(slot, Math.trunc(timer._idleTimeout), timer._repeat !== null);
    if (!timer.#refed) internal.holdTimer(slot, false);
  }

  static hold(timer, refed) {
    if (timer.#refed !== refed) {
      timer.#refed = refed;
      if (timer.#slot !== NO_SLOT) internal.holdTimer(timer.#slot, refed);
    }
    return timer;
  }

  static clear(timer) {
    const slot = timer.#slot;
    timer._onTimeout = null;
    if (slot !== NO_SLOT) {
      internal.clearTimer(slot);
      timers[slot] = freeTimer;
      freeTimer = slot;
      timer.#slot = NO_SLOT;
    } else if (timer === ran && spent !== NO_SLOT) {
      internal.clearTimer(spent);
    }
    timer._idleTimeout = -1;
    destroy(timer);
  }

  static run(slot) {
    const timer = timers[slot];
    if (typeof timer !== 'object' || timer._onTimeout === null) return false;
    if (timer._repeat === null) {
      spent = slot;
      timer.#slot = NO_SLOT;
    }
    ran = timer;
    const args = timer._timerArgs;
    if (args === undefined) timer._onTimeout();
    else apply(timer._onTimeout, timer, args);
    Timeout.end(timer);
    return false;
  }

  static end(timer) {
    if (spent === NO_SLOT) return;
    timers[spent] = freeTimer;
    freeTimer = spent;
    spent = NO_SLOT;
    if (timer.#slot === NO_SLOT) destroy(timer);
  }
}

function destroy(timer) {
  timer._destroyed = true;
  if (primitives.size > 0) primitives.delete(numbers.get(timer));
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

  static slot(immediate) {
    return immediate.#slot;
  }

  ref() {
    return Immediate.hold(this, true);
  }

  unref() {
    return Immediate.hold(this, false);
  }

  hasRef() {
    return Boolean(this.#refed);
  }

  [Symbol.dispose ?? Symbol.for('dispose')]() {
    clearImmediate(this);
  }

  // What has run, or was cleared, is neither held nor not.
  static hold(immediate, refed) {
    if (immediate.#refed === !refed) {
      immediate.#refed = refed;
      internal.holdImmediate(immediate.#slot, refed);
    }
    return immediate;
  }

  static release(immediate, slot) {
    immediates[slot] = freeImmediate;
    freeImmediate = slot;
    immediate._destroyed = true;
    immediate.#refed = null;
  }

  static clear(immediate) {
    if (immediate._destroyed) return;
    internal.clearImmediate(immediate.#slot);
    Immediate.release(immediate, immediate.#slot);
    immediate._onImmediate = null;
  }

  static run(slot) {
    const immediate = immediates[slot];
    if (typeof immediate !== 'object') return false;
    Immediate.release(immediate, slot);
    ran = immediate;
    const args = immediate._argv;
    if (args === undefined) immediate._onImmediate();
    else apply(immediate._onImmediate, immediate, args);
    immediate._onImmediate = null;
    return false;
  }
}

function clearImmediate(immediate) {
  if (immediate instanceof Immediate) Immediate.clear(immediate);
}

// Ends a timer or immediate that has thrown, after that was told.
function endRan() {
  if (ran instanceof Timeout) Timeout.end(ran);
  else ran._onImmediate = null;
  return true;
}

// The number by which the host knows a timer or immediate that waits.
function slotOf(made) {
  return made instanceof Immediate ? Immediate.slot(made) : Timeout.slot(made);
}

module.exports = {
  Immediate, Timeout, clearImmediate, clearTimeout, endRan, slotOf, waiting, watch,
  runImmediate: Immediate.run, runTimer: Timeout.run,
};
