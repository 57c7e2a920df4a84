'use strict';
// Node's `util`, as far as scripts about scheduling use it.
//
// Cost: `isDeepStrictEqual` as in `internal/compare`, printing as in `internal/inspect`.
// From `internal`: `writeStderr(text)`: writes all of it at once.
// From the module `process`, at the first use: `nextTick`, `emitWarning`, `noDeprecation`, `env`,
// `pid`. The classes `TextEncoder` and `TextDecoder` are those of the global object.

const { inspect, format, formatWithOptions, stripColors } = require('internal/inspect');
const { checkFunction, checkString } = require('internal/checks');
const { codes } = require('internal/errors');
const { isDeepStrictEqual } = require('internal/compare');
const types = require('internal/types');
const {
  bind, concat, fromEntries, map, pop, replace, replaceAll, some, split, test, then, toUpperCase,
  toWellFormed,
} = require('internal/primordials');

const PROMISIFIED = Symbol.for('nodejs.util.promisify.custom');
const argumentNames = Symbol('names of the values that a callback gets');
const warned = new Set();

function promisify(original) {
  checkFunction(original, 'original');
  const custom = original[PROMISIFIED];
  if (custom) {
    checkFunction(custom, 'util.promisify.custom');
    return Object.defineProperty(custom, PROMISIFIED, {
      value: custom, enumerable: false, writable: false, configurable: true,
    });
  }
  const names = original[argumentNames];
  function promisified(...args) {
    return new Promise((resolve, reject) => {
      Reflect.apply(original, this, concat(args, (error, ...values) => {
        if (error) reject(error);
        else if (names === undefined || values.length < 2) resolve(values[0]);
        else resolve(fromEntries(map(names, (name, i) => [name, values[i]])));
      }));
    });
  }
  Object.setPrototypeOf(promisified, Object.getPrototypeOf(original));
  Object.defineProperty(promisified, PROMISIFIED, {
    value: promisified, enumerable: false, writable: false, configurable: true,
  });
  return Object.defineProperties(promisified, Object.getOwnPropertyDescriptors(original));
}
promisify.custom = PROMISIFIED;

// The callback runs by `nextTick`, so that a throw of it is no rejection.
function callbackify(original) {
  checkFunction(original, 'original');
  function callbackified(...args) {
    const callback = pop(args);
    checkFunction(callback, 'last argument');
    const report = bind(callback, this);
    then(Reflect.apply(original, this, args),
      (value) => require('process').nextTick(report, null, value),
      (reason) => require('process').nextTick(report, reason || falsyRejection(reason)),
    );
  }
  const descriptors = Object.getOwnPropertyDescriptors(original);
  if (typeof descriptors.length?.value === 'number') descriptors.length.value++;
  if (typeof descriptors.name?.value === 'string') descriptors.name.value += 'Callbackified';
  return Object.defineProperties(callbackified, descriptors);
}

function falsyRejection(reason) {
  const error = new codes.ERR_FALSY_VALUE_REJECTION();
  error.reason = reason;
  return error;
}

function inherits(constructor, parent) {
  checkFunction(constructor, 'ctor');
  checkFunction(parent, 'superCtor');
  if (parent.prototype === undefined) {
    throw new codes.ERR_INVALID_ARG_TYPE('superCtor.prototype', 'Object', parent.prototype);
  }
  Object.defineProperty(constructor, 'super_', {
    value: parent, writable: true, configurable: true,
  });
  Object.setPrototypeOf(constructor.prototype, parent.prototype);
}

// Warns once: by code where there is one, else by function.
function deprecate(fn, message, code) {
  if (code !== undefined) checkString(code, 'code');
  let isDone = false;
  function deprecated(...args) {
    if (!isDone && !require('process').noDeprecation) {
      isDone = true;
      if (code === undefined) {
        require('process').emitWarning(message, 'DeprecationWarning');
      } else if (!warned.has(code)) {
        warned.add(code);
        require('process').emitWarning(message, 'DeprecationWarning', code);
      }
    }
    return new.target ? Reflect.construct(fn, args, new.target) : Reflect.apply(fn, this, args);
  }
  Object.setPrototypeOf(deprecated, fn);
  if (fn.prototype) deprecated.prototype = fn.prototype;
  return deprecated;
}

function isDebugged(section) {
  const wanted = require('process').env.NODE_DEBUG ?? '';
  return some(split(wanted, ','), (one) => {
    const escaped = replace(one, /[|\\{}()[\]^$+?.]/g, (mark) => `\\${mark}`);
    const literal = replaceAll(escaped, '*', '.*');
    return literal !== '' && test(new RegExp(`^${literal}$`, 'i'), section);
  });
}

function debuglog(set) {
  const section = toUpperCase(set);
  let enabled;
  const isEnabled = () => (enabled ??= isDebugged(section));
  function log(...args) {
    if (!isEnabled()) return;
    const message = Reflect.apply(format, undefined, args);
    internal.writeStderr(`${section} ${require('process').pid}: ${message}\n`);
  }
  return Object.defineProperty(log, 'enabled', {
    get: isEnabled, configurable: true, enumerable: true,
  });
}

function stripVTControlCharacters(text) {
  checkString(text, 'str');
  return stripColors(text);
}

function toUSVString(text) {
  return toWellFormed(`${text}`);
}

function globalClass(name) {
  return { get: () => globalThis[name], enumerable: true, configurable: true };
}

module.exports = {
  callbackify, debug: debuglog, debuglog, deprecate, format, formatWithOptions, inherits, inspect,
  isArray: Array.isArray, isDeepStrictEqual, promisify, stripVTControlCharacters, toUSVString,
  types,
};
Object.defineProperties(module.exports, {
  TextDecoder: globalClass('TextDecoder'),
  TextEncoder: globalClass('TextEncoder'),
  argumentNames: { value: argumentNames },
});
