'use strict';
// `EventTarget` with Node's rules, and the events it dispatches.
//
// Listeners of a type stand in a linked list, in the order of adding. A dispatch takes the next
// one before it calls one: what a listener adds runs in the same dispatch, except when the
// listener was the last; what it removes does not run.
// A listener that throws, or whose promise rejects, does not stop the others: the error is thrown
// from a tick of its own.
//
// Natives: none. Uses `process.nextTick`, and `process.emitWarning` where it is there.

const { codes } = require('internal/errors');
const { checkAbortSignal } = require('internal/checks');
const EventEmitter = require('events');
const event = require('internal/event');
const { push } = require('internal/primordials');

const { Event, CustomEvent, kDispatched, kStop, kTarget, missing } = event;
const kMax = EventEmitter.kMaxEventTargetListeners;
const kMaxWarned = EventEmitter.kMaxEventTargetListenersWarned;
const kIsEventTarget = Symbol.for('nodejs.event_target');
const kEvents = Symbol('kEvents');
const kHandlers = Symbol('kHandlers');
const kResistStop = Symbol('kResistStopPropagation');
// Called after a listener came, and after one went, with the type and the number there is.
const kAdded = Symbol('kNewListener');
const kRemoved = Symbol('kRemoveListener');

class Listener {
  constructor(previous, listener, options) {
    this.previous = previous;
    this.next = undefined;
    previous.next = this;
    this.listener = listener;
    this.once = options.once;
    this.capture = options.capture;
    this.passive = options.passive;
    this.resistStop = options.resistStop;
    this.removed = false;
    this.callback = typeof listener === 'function' ? listener : async (...args) => {
      // Looked up at each event, as the web asks for.
      if (listener.handleEvent) await Reflect.apply(listener.handleEvent, listener, args);
    };
  }

  is(listener, capture) {
    return this.listener === listener && this.capture === capture;
  }

  remove() {
    this.previous.next = this.next;
    if (this.next !== undefined) this.next.previous = this.previous;
    this.removed = true;
  }
}

function checkThis(target) {
  if (!isEventTarget(target)) throw new codes.ERR_INVALID_THIS('EventTarget');
}

function warn(message, name, details) {
  const warning = Object.assign(new Error(message), details);
  warning.name = name;
  globalThis.process?.emitWarning?.(warning);
}

class EventTarget {
  static [kIsEventTarget] = true;

  constructor() {
    this[kEvents] = new Map();
    this[kMax] = EventEmitter.defaultMaxListeners;
    this[kMaxWarned] = false;
    this[kHandlers] = new Map();
  }

  addEventListener(type, listener, options) {
    checkThis(this);
    if (arguments.length < 2) throw missing('type', 'listener');
    const given = readOptions(options);
    const { signal } = given;
    checkAbortSignal(signal, 'options.signal');
    if (signal) {
      if (signal.aborted) return;
      const remove = () => this.removeEventListener(type, listener, given);
      signal.addEventListener('abort', remove, { once: true, [kResistStop]: true });
    }
    if (!isListener(listener)) {
      const message = `addEventListener called with ${listener} which has no effect.`;
      warn(message, 'AddEventListenerArgumentTypeWarning', { target: this, type });
      return;
    }
    insert(this, text(type), listener, given);
  }

  removeEventListener(type, listener, options = {}) {
    checkThis(this);
    if (arguments.length < 2) throw missing('type', 'listener');
    if (!isListener(listener)) return;
    const name = text(type);
    const capture = options?.capture === true;
    const root = this[kEvents].get(name);
    let entry = root?.next;
    while (entry !== undefined && !entry.is(listener, capture)) entry = entry.next;
    if (entry === undefined) return;
    entry.remove();
    root.size--;
    if (root.size === 0) this[kEvents].delete(name);
    this[kRemoved](root.size, name);
  }

  dispatchEvent(given) {
    checkThis(this);
    if (arguments.length < 1) throw missing('event');
    if (!(given instanceof Event)) throw new codes.ERR_INVALID_ARG_TYPE('event', 'Event', given);
    if (given[kDispatched]) throw new codes.ERR_EVENT_RECURSION(given.type);
    dispatch(this, given);
    return given.defaultPrevented !== true;
  }

  [kAdded](size, type) {
    const most = this[kMax];
    if (!(most > 0) || size <= most || this[kMaxWarned]) return;
    this[kMaxWarned] = true;
    const shown = require('internal/inspect').inspect(this, { depth: -1 });
    const message = 'Possible EventTarget memory leak detected. ' +
      `${size} ${type} listeners added to ${shown}. MaxListeners is ${most}. Use ` +
      'events.setMaxListeners() to increase limit';
    warn(message, 'MaxListenersExceededWarning', { target: this, type, count: size });
  }

  [kRemoved]() {}

  [event.inspectCustom](depth, options) {
    checkThis(this);
    return event.inspectAs(this, depth, options, {});
  }
}

event.asInterface(EventTarget, 'EventTarget');

function readOptions(options) {
  const given = typeof options === 'boolean' ? { capture: options } : options ?? {};
  if (typeof given !== 'object' && typeof given !== 'function') {
    throw new codes.ERR_INVALID_ARG_TYPE('options', 'Object', options);
  }
  return {
    once: Boolean(given.once),
    capture: Boolean(given.capture),
    passive: Boolean(given.passive),
    resistStop: Boolean(given[kResistStop]),
    signal: given.signal,
  };
}

// As the web turns a value into a string: a symbol can't be one.
function text(type) {
  if (typeof type === 'symbol') throw new codes.ERR_INVALID_ARG_VALUE('value', type);
  return String(type);
}

function isListener(listener) {
  if (typeof listener === 'function' || typeof listener?.handleEvent === 'function') return true;
  if (listener === undefined || listener === null) return false;
  if (typeof listener === 'object') return true;
  throw new codes.ERR_INVALID_ARG_TYPE('listener', 'EventListener', listener);
}

function insert(target, type, listener, options) {
  let root = target[kEvents].get(type);
  if (root === undefined) {
    root = { size: 0, next: undefined, resistStop: false };
    target[kEvents].set(type, root);
  }
  let previous = root;
  while (previous.next !== undefined) {
    previous = previous.next;
    if (previous.is(listener, options.capture)) return;
  }
  new Listener(previous, listener, options);
  root.size++;
  root.resistStop ||= options.resistStop;
  target[kAdded](root.size, type);
}

function dispatch(target, given) {
  given[kTarget] = target;
  given[kDispatched] = true;
  const { type } = given;
  const root = target[kEvents].get(type);
  let entry = root?.next;
  while (entry !== undefined) {
    const stopped = given[kStop] === true;
    if (stopped && !root.resistStop && !entry.passive) break;
    const next = entry.next;
    if (!entry.removed && !(stopped && !entry.resistStop)) call(target, root, entry, given, type);
    entry = next;
  }
  given[kDispatched] = false;
}

function call(target, root, entry, given, type) {
  if (entry.once) {
    entry.remove();
    root.size--;
    target[kRemoved](root.size, type);
  }
  try {
    const result = Reflect.apply(entry.callback, target, [given]);
    given[kDispatched] = false;
    const then = result === undefined || result === null ? undefined : result.then;
    if (typeof then === 'function') Reflect.apply(then, result, [undefined, throwLater]);
  } catch (error) {
    throwLater(error);
  }
}

function throwLater(error) {
  globalThis.process.nextTick(() => {
    throw error;
  });
}

function isEventTarget(value) {
  return value?.constructor?.[kIsEventTarget];
}

// The listeners of a type, for `events.getEventListeners`.
function listenersOf(target, type) {
  const found = [];
  for (let entry = target[kEvents].get(type)?.next; entry; entry = entry.next) {
    push(found, entry.listener);
  }
  return found;
}

// An attribute such as `onabort`: it keeps its place among the listeners when it is changed.
function defineEventHandler(prototype, type) {
  const count = (target, step) => {
    const root = target[kEvents].get(type);
    root.size += step;
    target[step > 0 ? kAdded : kRemoved](root.size, type);
  };
  Object.defineProperty(prototype, `on${type}`, {
    configurable: true,
    enumerable: true,
    get() {
      return this[kHandlers].get(type)?.handler ?? null;
    },
    set(value) {
      const present = this[kHandlers].get(type);
      if (present !== undefined) {
        if (typeof present.handler === 'function') count(this, -1);
        present.handler = value;
        if (typeof value === 'function') count(this, 1);
        return;
      }
      const wrapped = function(...args) {
        if (typeof wrapped.handler !== 'function') return undefined;
        return Reflect.apply(wrapped.handler, this, args);
      };
      wrapped.handler = value;
      this.addEventListener(type, wrapped);
      this[kHandlers].set(type, wrapped);
    },
  });
}

module.exports = {
  CustomEvent, Event, EventTarget, defineEventHandler, isEventTarget, kAdded, kRemoved, kResistStop,
  listenersOf,
};
