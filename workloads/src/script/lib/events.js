'use strict';
// Node's `events`: emitters, in the order and with the errors of Node 20.
//
// Listeners of a name are kept as one function while there is one, and as an array from two on,
// so that an emit to a single listener copies nothing. An emit to several walks a copy: what is
// added or removed meanwhile counts from the next emit on.
// **Invariant**: `_eventsCount` is the number of names in `_events`; an array has two or more.
//
// Natives: none. Uses `process.nextTick` and `process.emitWarning` where there is a `process`.

const { lazy } = require('internal/lazy');
const { checkBoolean, checkFunction, checkNumber } = require('internal/checks');
const {
  bind, concat, each, filter, findLastIndex, map, push, slice, splice, unshift,
} = require('internal/primordials');

const kCapture = Symbol('kCapture');
const kErrorMonitor = Symbol('events.errorMonitor');
const kRejection = Symbol.for('nodejs.rejection');
const kMaxTargetListeners = Symbol('events.maxEventTargetListeners');
const kMaxTargetListenersWarned = Symbol('events.maxEventTargetListenersWarned');

let defaultMaxListeners = 10;

function codes() {
  return require('internal/errors').codes;
}

function EventEmitter(options) {
  Reflect.apply(EventEmitter.init, this, [options]);
}

module.exports = EventEmitter;

EventEmitter.prototype._events = undefined;
EventEmitter.prototype._eventsCount = 0;
EventEmitter.prototype._maxListeners = undefined;
Object.defineProperty(EventEmitter.prototype, kCapture, { value: false, writable: true });

EventEmitter.EventEmitter = EventEmitter;
EventEmitter.usingDomains = false;
EventEmitter.captureRejectionSymbol = kRejection;
EventEmitter.errorMonitor = kErrorMonitor;

Object.defineProperties(EventEmitter, {
  captureRejections: {
    enumerable: true,
    get: () => EventEmitter.prototype[kCapture],
    set(value) {
      checkBoolean(value, 'EventEmitter.captureRejections');
      EventEmitter.prototype[kCapture] = value;
    },
  },
  defaultMaxListeners: {
    enumerable: true,
    get: () => defaultMaxListeners,
    set(value) {
      checkNumber(value, 'defaultMaxListeners', 0);
      defaultMaxListeners = value;
    },
  },
  kMaxEventTargetListeners: { value: kMaxTargetListeners },
  kMaxEventTargetListenersWarned: { value: kMaxTargetListenersWarned },
});

function emptyTable(emitter) {
  emitter._events = Object.create(null);
  emitter._eventsCount = 0;
}

EventEmitter.init = function(options) {
  const inherited = Object.getPrototypeOf(this)._events;
  if (this._events === undefined || this._events === inherited) emptyTable(this);
  this._maxListeners = this._maxListeners || undefined;
  if (options?.captureRejections) {
    checkBoolean(options.captureRejections, 'options.captureRejections');
    this[kCapture] = true;
  } else {
    // Assigned even where it only repeats the prototype's: a later change of the default is for
    // emitters made after it.
    this[kCapture] = EventEmitter.prototype[kCapture];
  }
};

// ---- emitting ----

function copyOf(list) {
  const copy = [];
  for (let i = 0; i < list.length; i++) copy[i] = list[i];
  return copy;
}

EventEmitter.prototype.emit = function emit(type, ...args) {
  const events = this._events;
  if (type === 'error') {
    if (events !== undefined && events[kErrorMonitor] !== undefined) {
      Reflect.apply(this.emit, this, concat([kErrorMonitor], args));
    }
    if (events === undefined || events.error === undefined) throw unhandled(args);
  }
  const handler = events === undefined ? undefined : events[type];
  if (handler === undefined) return false;
  if (typeof handler === 'function') {
    const result = Reflect.apply(handler, this, args);
    if (result !== undefined && result !== null) watch(this, result, type, args);
    return true;
  }
  const listeners = copyOf(handler);
  for (let i = 0; i < listeners.length; i++) {
    const result = Reflect.apply(listeners[i], this, args);
    if (result !== undefined && result !== null) watch(this, result, type, args);
  }
  return true;
};

// What to throw for an 'error' that nobody listens to.
function unhandled(args) {
  const given = args[0];
  if (given instanceof Error) return given;
  let text;
  try {
    text = require('internal/inspect').inspect(given);
  } catch {
    text = given;
  }
  const error = new (codes().ERR_UNHANDLED_ERROR)(text);
  error.context = given;
  return error;
}

// With `captureRejections`, a listener's rejected promise becomes an 'error' of its emitter.
function watch(emitter, result, type, args) {
  if (!emitter[kCapture]) return;
  try {
    const then = result.then;
    if (typeof then === 'function') {
      Reflect.apply(then, result, [undefined, (error) => {
        require('internal/task_queues').nextTick(reject, emitter, error, type, args);
      }]);
    }
  } catch (error) {
    emitter.emit('error', error);
  }
}

function reject(emitter, error, type, args) {
  if (typeof emitter[kRejection] === 'function') {
    Reflect.apply(emitter[kRejection], emitter, concat([error, type], args));
    return;
  }
  // The listener of 'error' may be async, too: what it rejects must not come back to it.
  const before = emitter[kCapture];
  try {
    emitter[kCapture] = false;
    emitter.emit('error', error);
  } finally {
    emitter[kCapture] = before;
  }
}

// ---- adding ----

function add(emitter, type, listener, atFront) {
  checkFunction(listener, 'listener');
  if (emitter._events === undefined) {
    emptyTable(emitter);
  } else if (emitter._events.newListener !== undefined) {
    // Before it is added, so that the listener of 'newListener' can put others before it.
    emitter.emit('newListener', type, listener.listener ?? listener);
  }
  const events = emitter._events;
  const present = events[type];
  if (present === undefined) {
    events[type] = listener;
    emitter._eventsCount++;
    return emitter;
  }
  let list = present;
  if (typeof present === 'function') {
    list = atFront ? [listener, present] : [present, listener];
    events[type] = list;
  } else if (atFront) {
    unshift(list, listener);
  } else {
    push(list, listener);
  }
  warnOfLeak(emitter, type, list);
  return emitter;
}

function warnOfLeak(emitter, type, list) {
  const most = maxListeners(emitter);
  if (!(most > 0) || list.length <= most || list.warned) return;
  list.warned = true;
  const shown = require('internal/inspect').inspect(emitter, { depth: -1 });
  const warning = new Error(
    'Possible EventEmitter memory leak detected. ' +
    `${list.length} ${String(type)} listeners added to ${shown}. MaxListeners is ${most}. ` +
    'Use emitter.setMaxListeners() to increase limit');
  warning.name = 'MaxListenersExceededWarning';
  Object.assign(warning, { emitter, type, count: list.length });
  globalThis.process?.emitWarning?.(warning);
}

EventEmitter.prototype.addListener = function addListener(type, listener) {
  return add(this, type, listener, false);
};

EventEmitter.prototype.on = EventEmitter.prototype.addListener;

EventEmitter.prototype.prependListener = function prependListener(type, listener) {
  return add(this, type, listener, true);
};

function onceWrapper(...args) {
  if (this.fired) return undefined;
  this.target.removeListener(this.type, this.wrapped);
  this.fired = true;
  return Reflect.apply(this.listener, this.target, args);
}

function wrapOnce(target, type, listener) {
  checkFunction(listener, 'listener');
  const state = { fired: false, wrapped: undefined, target, type, listener };
  state.wrapped = bind(onceWrapper, state);
  state.wrapped.listener = listener;
  return state.wrapped;
}

EventEmitter.prototype.once = function once(type, listener) {
  this.on(type, wrapOnce(this, type, listener));
  return this;
};

EventEmitter.prototype.prependOnceListener = function prependOnceListener(type, listener) {
  this.prependListener(type, wrapOnce(this, type, listener));
  return this;
};

// ---- removing ----

const isIt = (entry, listener) => entry === listener || entry.listener === listener;

EventEmitter.prototype.removeListener = function removeListener(type, listener) {
  checkFunction(listener, 'listener');
  const list = this._events?.[type];
  if (list === undefined) return this;
  if (isIt(list, listener)) {
    if (forget(this, type) && this._events.removeListener !== undefined) {
      this.emit('removeListener', type, list.listener || listener);
    }
    return this;
  }
  if (typeof list === 'function') return this;
  // The one added last goes first.
  const at = findLastIndex(list, (entry) => isIt(entry, listener));
  if (at < 0) return this;
  splice(list, at, 1);
  if (list.length === 1) this._events[type] = list[0];
  if (this._events.removeListener !== undefined) this.emit('removeListener', type, listener);
  return this;
};

EventEmitter.prototype.off = EventEmitter.prototype.removeListener;

// Takes a name out; false when none is left, so that nobody can listen to the removal.
function forget(emitter, type) {
  if (emitter._eventsCount === 1) {
    emptyTable(emitter);
    return false;
  }
  emitter._eventsCount--;
  delete emitter._events[type];
  return true;
}

EventEmitter.prototype.removeAllListeners = function removeAllListeners(type) {
  const events = this._events;
  if (events === undefined) return this;
  const all = arguments.length === 0;
  if (events.removeListener === undefined) {
    if (all) emptyTable(this);
    else if (events[type] !== undefined) forget(this, type);
    return this;
  }
  // Somebody listens to removals: each is told, in the reverse order of adding.
  if (all) {
    const others = filter(Reflect.ownKeys(events), (key) => key !== 'removeListener');
    for (const key of each(others)) this.removeAllListeners(key);
    this.removeAllListeners('removeListener');
    emptyTable(this);
    return this;
  }
  const list = events[type];
  if (typeof list === 'function') {
    this.removeListener(type, list);
  } else if (list !== undefined) {
    for (let i = list.length - 1; i >= 0; i--) this.removeListener(type, list[i]);
  }
  return this;
};

// ---- asking ----

function entries(emitter, type) {
  const list = emitter._events?.[type];
  if (list === undefined) return [];
  return typeof list === 'function' ? [list] : slice(list);
}

EventEmitter.prototype.listeners = function listeners(type) {
  return map(entries(this, type), (entry) => {
    return typeof entry.listener === 'function' ? entry.listener : entry;
  });
};

EventEmitter.prototype.rawListeners = function rawListeners(type) {
  return entries(this, type);
};

EventEmitter.prototype.listenerCount = function listenerCount(type, listener) {
  const list = entries(this, type);
  if (listener === undefined || listener === null) return list.length;
  return filter(list, (entry) => isIt(entry, listener)).length;
};

EventEmitter.prototype.eventNames = function eventNames() {
  return this._eventsCount > 0 ? Reflect.ownKeys(this._events) : [];
};

EventEmitter.listenerCount = function(emitter, type) {
  if (typeof emitter.listenerCount === 'function') return emitter.listenerCount(type);
  return Reflect.apply(EventEmitter.prototype.listenerCount, emitter, [type]);
};

// ---- limits ----

function maxListeners(emitter) {
  const own = emitter._maxListeners;
  return own === undefined ? defaultMaxListeners : own;
}

EventEmitter.prototype.setMaxListeners = function setMaxListeners(n) {
  checkNumber(n, 'setMaxListeners', 0);
  this._maxListeners = n;
  return this;
};

EventEmitter.prototype.getMaxListeners = function getMaxListeners() {
  return maxListeners(this);
};

const neither = (name, value) => {
  return new (codes().ERR_INVALID_ARG_TYPE)(name, ['EventEmitter', 'EventTarget'], value);
};

EventEmitter.setMaxListeners = function(n = defaultMaxListeners, ...targets) {
  checkNumber(n, 'setMaxListeners', 0);
  if (targets.length === 0) defaultMaxListeners = n;
  const { isEventTarget } = require('internal/event_target');
  for (const target of targets) {
    if (isEventTarget(target)) {
      target[kMaxTargetListeners] = n;
      target[kMaxTargetListenersWarned] = false;
    } else if (typeof target.setMaxListeners === 'function') {
      target.setMaxListeners(n);
    } else {
      throw neither('eventTargets', target);
    }
  }
};

EventEmitter.getMaxListeners = function getMaxListeners(target) {
  if (typeof target?.getMaxListeners === 'function') return maxListeners(target);
  if (target?.[kMaxTargetListeners]) return target[kMaxTargetListeners];
  throw neither('emitter', target);
};

EventEmitter.getEventListeners = function getEventListeners(target, type) {
  if (typeof target.listeners === 'function') return target.listeners(type);
  const { isEventTarget, listenersOf } = require('internal/event_target');
  if (isEventTarget(target)) return listenersOf(target, type);
  throw neither('emitter', target);
};

for (const name of each(['addAbortListener', 'once', 'on'])) {
  lazy(EventEmitter, name, true, () => require('internal/events_async')[name]);
}
