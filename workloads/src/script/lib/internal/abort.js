'use strict';
// `AbortController` and `AbortSignal`.
//
// A signal made by `any` or `timeout` is held by what will abort it only weakly, unless somebody
// listens: one that nobody can see any more goes. A timer of `timeout` is not held by the loop.
//
// Natives: none.

const { codes } = require('internal/errors');
const { checkAbortSignal, checkInteger } = require('internal/checks');
const { DOMException } = require('internal/dom_exception');
const { asInterface, inspectCustom, kTrust } = require('internal/event');
const { Event, EventTarget, defineEventHandler, kAdded, kRemoved } =
  require('internal/event_target');

const kAborted = Symbol('kAborted');
const kReason = Symbol('kReason');
const kTimeout = Symbol('kTimeout');
const kComposite = Symbol('kComposite');
const kSources = Symbol('kSourceSignals');
const kDependants = Symbol('kDependantSignals');

const DELAY_MS_MAX = 2 ** 32 - 1;

// Signals with a listener that only something weak would keep otherwise.
const listenedTo = new Set();

const isWeaklyHeld = (signal) => {
  return signal[kTimeout] || (signal[kComposite] && signal[kSources]?.size > 0);
};

const byController = () => new DOMException('This operation was aborted', 'AbortError');

function checkThis(signal) {
  if (signal?.[kAborted] === undefined) throw new codes.ERR_INVALID_THIS('AbortSignal');
}

function inspectAs(object, shown, depth, options) {
  const name = object.constructor.name;
  if (depth < 0) return object;
  const deeper = options.depth === null ? null : options.depth - 1;
  const { inspect } = require('internal/inspect');
  return `${name} ${inspect(shown, { ...options, depth: deeper })}`;
}

class AbortSignal extends EventTarget {
  constructor() {
    throw new codes.ERR_ILLEGAL_CONSTRUCTOR();
  }

  get aborted() {
    checkThis(this);
    return this[kAborted];
  }

  get reason() {
    checkThis(this);
    return this[kReason];
  }

  throwIfAborted() {
    checkThis(this);
    if (this[kAborted]) throw this[kReason];
  }

  static abort(reason = byController()) {
    const signal = makeSignal();
    signal[kAborted] = true;
    signal[kReason] = reason;
    return signal;
  }

  static timeout(delay) {
    checkInteger(delay, 'delay', 0, DELAY_MS_MAX);
    const signal = makeSignal();
    signal[kTimeout] = true;
    abortAfter(new WeakRef(signal), delay);
    return signal;
  }

  static any(signals) {
    checkSignals(signals, 'signals');
    return follow(makeSignal(), signals);
  }

  [kAdded](size, type) {
    super[kAdded](size, type);
    if (type === 'abort' && size === 1 && !this[kAborted] && isWeaklyHeld(this)) {
      listenedTo.add(this);
    }
  }

  [kRemoved](size, type) {
    if (type === 'abort' && size === 0) listenedTo.delete(this);
  }

  [inspectCustom](depth, options) {
    return inspectAs(this, { aborted: this.aborted }, depth, options);
  }
}

Object.defineProperty(AbortSignal.prototype, 'aborted', { enumerable: true });
const tag = { value: 'AbortSignal', configurable: true };
Object.defineProperty(AbortSignal.prototype, Symbol.toStringTag, tag);
defineEventHandler(AbortSignal.prototype, 'abort');

function checkSignals(signals, name) {
  if (!Array.isArray(signals)) throw new codes.ERR_INVALID_ARG_TYPE(name, 'Array', signals);
  signals.forEach((signal, index) => {
    const which = `${name}[${index}]`;
    if (signal === undefined) throw new codes.ERR_INVALID_ARG_TYPE(which, 'AbortSignal', signal);
    checkAbortSignal(signal, which);
  });
}

// A signal can't be made by its constructor: that one is for scripts, and refuses.
function makeSignal() {
  const signal = Object.setPrototypeOf(new EventTarget(), AbortSignal.prototype);
  signal[kAborted] = false;
  signal[kReason] = undefined;
  signal[kComposite] = false;
  return signal;
}

function abortSignal(signal, reason) {
  if (signal[kAborted]) return;
  signal[kAborted] = true;
  signal[kReason] = reason;
  signal.dispatchEvent(new Event('abort', { [kTrust]: true }));
  listenedTo.delete(signal);
  signal[kDependants]?.forEach((reference) => {
    const dependant = reference.deref();
    if (dependant !== undefined) abortSignal(dependant, reason);
  });
}

// In a function of its own: the timer's closure must not see the signal itself.
function abortAfter(reference, delay) {
  const { setTimeout } = require('timers');
  const timer = setTimeout(() => {
    const signal = reference.deref();
    if (signal === undefined) return;
    const message = 'The operation was aborted due to timeout';
    abortSignal(signal, new DOMException(message, 'TimeoutError'));
  }, delay);
  timer.unref();
}

// A signal that follows others that follow some follows those at the root: the order of their
// abort events is that of the following.
function follow(result, signals) {
  result[kComposite] = true;
  if (signals.length === 0) return result;
  const reference = new WeakRef(result);
  result[kSources] = new Set();
  const add = (source, sourceReference) => {
    result[kSources].add(sourceReference);
    source[kDependants].add(reference);
  };
  for (const signal of signals) {
    if (signal.aborted) {
      abortSignal(result, signal.reason);
      return result;
    }
    signal[kDependants] ??= new Set();
    if (!signal[kComposite]) {
      add(signal, new WeakRef(signal));
      continue;
    }
    for (const sourceReference of signal[kSources] ?? []) {
      const source = sourceReference.deref();
      if (source !== undefined && !result[kSources].has(sourceReference)) {
        add(source, sourceReference);
      }
    }
  }
  return result;
}

class AbortController {
  #signal;

  get signal() {
    this.#signal ??= makeSignal();
    return this.#signal;
  }

  abort(reason = byController()) {
    abortSignal(this.signal, reason);
  }

  [inspectCustom](depth, options) {
    return inspectAs(this, { signal: this.signal }, depth, options);
  }
}

asInterface(AbortController, 'AbortController');

module.exports = { AbortController, AbortSignal };
