'use strict';
// `Event` and `CustomEvent`: what a target hands to its listeners.
//
// Natives: none. Uses the global `performance` for time stamps, `Date` where it isn't there.

const { codes } = require('internal/errors');
const { each, forEach } = require('internal/primordials');

const kType = Symbol('type');
const kDetail = Symbol('detail');
const kTarget = Symbol('kTarget');
const kStop = Symbol('kStop');
const kDispatched = Symbol('kIsBeingDispatched');
const kTrust = Symbol('kTrustEvent');
const inspectCustom = Symbol.for('nodejs.util.inspect.custom');

const trusted = new WeakSet();

function missing(...names) {
  return Reflect.construct(codes.ERR_MISSING_ARGS, names);
}

// One `get` for all events, as scripts may compare: the property can't be changed.
const { get: isTrusted } = Object.getOwnPropertyDescriptor({
  get isTrusted() {
    return trusted.has(this);
  },
}, 'isTrusted');

function checkThis(event) {
  if (typeof event?.[kType] !== 'string') throw new codes.ERR_INVALID_THIS('Event');
}

class Event {
  #cancelable = false;
  #bubbles = false;
  #composed = false;
  #prevented = false;
  #stopped = false;
  #timeStamp = globalThis.performance ? globalThis.performance.now() : Date.now();

  constructor(type, options = undefined) {
    if (arguments.length === 0) throw missing('type');
    if (options !== undefined && options !== null) {
      require('internal/checks').checkOptions(options, 'options');
    }
    this.#bubbles = !!options?.bubbles;
    this.#cancelable = !!options?.cancelable;
    this.#composed = !!options?.composed;
    this[kType] = `${type}`;
    if (options?.[kTrust]) trusted.add(this);
    this[kTarget] = null;
    this[kDispatched] = false;
    Object.defineProperty(this, 'isTrusted', { get: isTrusted, enumerable: true });
  }

  initEvent(type, bubbles = false, cancelable = false) {
    if (arguments.length === 0) throw missing('type');
    if (this[kDispatched]) return;
    this[kType] = `${type}`;
    this.#bubbles = !!bubbles;
    this.#cancelable = !!cancelable;
  }

  stopPropagation() {
    checkThis(this);
    this.#stopped = true;
  }

  stopImmediatePropagation() {
    checkThis(this);
    this.stopPropagation();
    this[kStop] = true;
  }

  preventDefault() {
    checkThis(this);
    this.#prevented = true;
  }

  composedPath() {
    checkThis(this);
    return this[kDispatched] ? [this[kTarget]] : [];
  }

  get type() {
    checkThis(this);
    return this[kType];
  }

  get target() {
    checkThis(this);
    return this[kTarget];
  }

  get srcElement() {
    return this.target;
  }

  get currentTarget() {
    checkThis(this);
    return this[kDispatched] ? this[kTarget] : null;
  }

  get eventPhase() {
    checkThis(this);
    return this[kDispatched] ? Event.AT_TARGET : Event.NONE;
  }

  get bubbles() {
    checkThis(this);
    return this.#bubbles;
  }

  get cancelable() {
    checkThis(this);
    return this.#cancelable;
  }

  get composed() {
    checkThis(this);
    return this.#composed;
  }

  get defaultPrevented() {
    checkThis(this);
    return this.#cancelable && this.#prevented;
  }

  get returnValue() {
    return !this.defaultPrevented;
  }

  get timeStamp() {
    checkThis(this);
    return this.#timeStamp;
  }

  get cancelBubble() {
    checkThis(this);
    return this.#stopped;
  }

  set cancelBubble(value) {
    checkThis(this);
    if (value) this.#stopped = true;
  }

  [inspectCustom](depth, options) {
    checkThis(this);
    return inspectAs(this, depth, options, {
      type: this[kType],
      defaultPrevented: this.#prevented,
      cancelable: this.#cancelable,
      timeStamp: this.#timeStamp,
    });
  }
}

// How events and targets show themselves: the class, and some of what they hold.
function inspectAs(object, depth, options, shown) {
  const name = object.constructor.name;
  if (depth < 0) return name;
  const deeper = Number.isInteger(options.depth) ? options.depth - 1 : options.depth;
  const { inspect } = require('internal/inspect');
  return `${name} ${inspect(shown, { ...options, depth: deeper })}`;
}

class CustomEvent extends Event {
  constructor(type, options = {}) {
    if (arguments.length === 0) throw missing('type');
    super(type, options);
    this[kDetail] = options?.detail ?? null;
  }

  get detail() {
    if (this?.[kDetail] === undefined) throw new codes.ERR_INVALID_THIS('CustomEvent');
    return this[kDetail];
  }
}

forEach(['NONE', 'CAPTURING_PHASE', 'AT_TARGET', 'BUBBLING_PHASE'], (name, value) => {
  Object.defineProperty(Event, name, { value, enumerable: true });
});

// As the web's interfaces: members can be enumerated, and a tag names the class.
function asInterface(Class, tag) {
  for (const name of each(Object.getOwnPropertyNames(Class.prototype))) {
    if (name !== 'constructor') Object.defineProperty(Class.prototype, name, { enumerable: true });
  }
  const property = { value: tag, configurable: true };
  Object.defineProperty(Class.prototype, Symbol.toStringTag, property);
}

asInterface(Event, 'Event');
asInterface(CustomEvent, 'CustomEvent');

module.exports = {
  CustomEvent, Event, asInterface, inspectAs, inspectCustom, kDispatched, kStop, kTarget, kTrust,
  missing,
};
