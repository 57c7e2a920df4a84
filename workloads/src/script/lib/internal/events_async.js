'use strict';
// The parts of `events` that wait: `once`, `on` and `addAbortListener`, for emitters and targets.
//
// **Invariant**: `once` is an async function that returns a promise, and the iterator of `on`
// answers with promises made at the call. Both take as many microtasks as Node's own.
//
// Natives: none. Uses the global `queueMicrotask`.

const { codes, AbortError } = require('internal/errors');
const { checkAbortSignal, checkFunction, checkInteger } = require('internal/checks');
const { pop, push, slice } = require('internal/primordials');

const neither = (value) => new codes.ERR_INVALID_ARG_TYPE('emitter', 'EventEmitter', value);

function listen(target, name, listener, options) {
  if (typeof target.on === 'function') {
    if (options?.once) target.once(name, listener);
    else target.on(name, listener);
  } else if (typeof target.addEventListener === 'function') {
    target.addEventListener(name, listener, options);
  } else {
    throw neither(target);
  }
}

function unlisten(target, name, listener) {
  if (typeof target.removeListener === 'function') {
    target.removeListener(name, listener);
  } else if (typeof target.removeEventListener === 'function') {
    target.removeEventListener(name, listener);
  } else {
    throw neither(target);
  }
}

// Once, and not to be stopped by another listener's `stopImmediatePropagation`.
function firmly() {
  const { kResistStop } = require('internal/event_target');
  return { once: true, [kResistStop]: true };
}

const aborted = (signal) => new AbortError(undefined, { cause: signal.reason });

async function once(emitter, name, options = {}) {
  const signal = options?.signal;
  checkAbortSignal(signal, 'options.signal');
  if (signal?.aborted) throw aborted(signal);
  return new Promise((resolve, reject) => {
    const forgetSignal = () => {
      if (signal !== undefined) unlisten(signal, 'abort', onAbort);
    };
    const onError = (error) => {
      emitter.removeListener(name, onEvent);
      forgetSignal();
      reject(error);
    };
    const onEvent = (...args) => {
      if (typeof emitter.removeListener === 'function') emitter.removeListener('error', onError);
      forgetSignal();
      resolve(args);
    };
    const onAbort = () => {
      unlisten(emitter, name, onEvent);
      unlisten(emitter, 'error', onError);
      reject(aborted(signal));
    };
    listen(emitter, name, onEvent, firmly());
    if (name !== 'error' && typeof emitter.once === 'function') emitter.once('error', onError);
    if (signal !== undefined) listen(signal, 'abort', onAbort, firmly());
  });
}

const AsyncIteratorPrototype = Object.getPrototypeOf(
  Object.getPrototypeOf(async function* () {}).prototype);

// A queue whose `shift` does not move what is left.
class Queue {
  #items = [];
  #first = 0;

  get length() {
    return this.#items.length - this.#first;
  }

  push(item) {
    push(this.#items, item);
  }

  shift() {
    const item = this.#items[this.#first];
    this.#items[this.#first++] = undefined;
    if (this.#first > 32 && this.#first * 2 > this.#items.length) {
      this.#items = slice(this.#items, this.#first);
      this.#first = 0;
    }
    return item;
  }
}

// What has come and was not asked for, or was asked for and has not come; never both.
class Waiting {
  #events = new Queue();
  #promises = new Queue();
  #paused = false;
  #error = null;
  #finished = false;
  #undo = [];

  constructor(emitter, high, low) {
    this.emitter = emitter;
    this.high = high;
    this.low = low;
  }

  on(target, name, listener) {
    listen(target, name, listener);
    push(this.#undo, () => unlisten(target, name, listener));
  }

  atEnd(undo) {
    push(this.#undo, undo);
  }

  next() {
    if (this.#events.length > 0) {
      const value = this.#events.shift();
      if (this.#paused && this.#events.length < this.low) {
        this.emitter.resume();
        this.#paused = false;
      }
      return Promise.resolve({ value, done: false });
    }
    if (this.#error) {
      const rejected = Promise.reject(this.#error);
      this.#error = null;
      return rejected;
    }
    if (this.#finished) return this.close();
    return new Promise((resolve, reject) => this.#promises.push({ resolve, reject }));
  }

  came(value) {
    if (this.#promises.length > 0) {
      this.#promises.shift().resolve({ value, done: false });
      return;
    }
    if (!this.#paused && this.#events.length + 1 > this.high) {
      this.#paused = true;
      this.emitter.pause();
    }
    this.#events.push(value);
  }

  fail(error) {
    if (this.#promises.length > 0) this.#promises.shift().reject(error);
    else this.#error = error;
    this.close();
  }

  close() {
    while (this.#undo.length > 0) pop(this.#undo)();
    this.#finished = true;
    const done = { value: undefined, done: true };
    while (this.#promises.length > 0) this.#promises.shift().resolve(done);
    return Promise.resolve(done);
  }
}

function iteratorOf(waiting) {
  const iterator = {
    next: () => waiting.next(),
    return: () => waiting.close(),
    throw(error) {
      if (!(error instanceof Error)) {
        throw new codes.ERR_INVALID_ARG_TYPE('EventEmitter.AsyncIterator', 'Error', error);
      }
      waiting.fail(error);
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
  return Object.setPrototypeOf(iterator, AsyncIteratorPrototype);
}

function on(emitter, event, options = {}) {
  const signal = options.signal;
  checkAbortSignal(signal, 'options.signal');
  if (signal?.aborted) throw aborted(signal);
  const high = options.highWaterMark ?? options.highWatermark ?? Number.MAX_SAFE_INTEGER;
  checkInteger(high, 'options.highWaterMark', 1);
  const low = options.lowWaterMark ?? options.lowWatermark ?? 1;
  checkInteger(low, 'options.lowWaterMark', 1);
  const waiting = new Waiting(emitter, high, low);
  waiting.on(emitter, event, (...args) => waiting.came(args));
  if (event !== 'error' && typeof emitter.on === 'function') {
    waiting.on(emitter, 'error', (error) => waiting.fail(error));
  }
  for (const name of options.close ?? []) waiting.on(emitter, name, () => waiting.close());
  if (signal !== undefined) {
    const undo = listenToAbort(signal, () => waiting.fail(aborted(signal)));
    waiting.atEnd(undo);
  }
  return iteratorOf(waiting);
}

// Calls `listener` when the signal is aborted; the answer takes that back.
function listenToAbort(signal, listener) {
  if (signal.aborted) {
    globalThis.queueMicrotask(() => listener());
    return () => {};
  }
  signal.addEventListener('abort', listener, firmly());
  return () => signal.removeEventListener('abort', listener);
}

function addAbortListener(signal, listener) {
  if (signal === undefined) {
    throw new codes.ERR_INVALID_ARG_TYPE('signal', 'AbortSignal', signal);
  }
  checkAbortSignal(signal, 'signal');
  checkFunction(listener, 'listener');
  const undo = listenToAbort(signal, listener);
  const dispose = Symbol.dispose ?? Symbol.for('nodejs.dispose');
  return { __proto__: null, [dispose]: undo };
}

module.exports = { addAbortListener, on, once };
