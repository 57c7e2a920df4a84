'use strict';
// The global `structuredClone`, for values made of plain objects, arrays, dates, regular
// expressions, maps, sets, buffers, views and errors, with cycles. What can't be cloned throws
// `DataCloneError`. Nothing is transferred: a list of what is to be must be empty.
//
// Natives: none.

const { codes } = require('internal/errors');
const { checkOptions } = require('internal/checks');
const { each, entriesOf, membersOf, some } = require('internal/primordials');

const ERRORS = { Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError };
const TYPED_ARRAY = Object.getPrototypeOf(Uint8Array.prototype);
const WRAPPED = [Boolean, Number, String, BigInt];

function refuse(text) {
  const { DOMException } = require('internal/dom_exception');
  throw new DOMException(`${text} could not be cloned.`, 'DataCloneError');
}

function shown(value) {
  if (typeof value === 'function' || typeof value === 'symbol') return String(value);
  return `#<${value.constructor?.name ?? 'Object'}>`;
}

// A value without what is in it; undefined for what has nothing but properties of its own.
function shell(value, clone) {
  if (value instanceof Date) return new Date(value.getTime());
  if (value instanceof RegExp) return new RegExp(value.source, value.flags);
  if (value instanceof Map) return new Map();
  if (value instanceof Set) return new Set();
  if (value instanceof ArrayBuffer) return value.slice(0);
  if (ArrayBuffer.isView(value)) return viewOf(value, clone);
  if (some(WRAPPED, (wrapper) => value instanceof wrapper)) return Object(value.valueOf());
  return undefined;
}

function viewOf(view, clone) {
  const buffer = clone(view.buffer);
  if (view instanceof DataView) return new DataView(buffer, view.byteOffset, view.byteLength);
  // A subclass, such as `Buffer`, is cloned as what it is made of.
  const Plain = globalThis[Reflect.get(TYPED_ARRAY, Symbol.toStringTag, view)];
  return new Plain(buffer, view.byteOffset, view.length);
}

function fill(copy, value, clone) {
  if (value instanceof Map) {
    for (const { 0: key, 1: item } of each(entriesOf(value))) copy.set(clone(key), clone(item));
  } else if (value instanceof Set) {
    for (const item of each(membersOf(value))) copy.add(clone(item));
  }
}

const UNCLONABLE = [WeakMap, WeakSet, WeakRef, Promise];

function structuredClone(value, options = undefined) {
  if (arguments.length === 0) throw new codes.ERR_MISSING_ARGS('value');
  if (options !== undefined && options !== null) checkOptions(options, 'options');
  if (options?.transfer?.length > 0) refuse(shown(options.transfer[0]));
  const known = new Map();

  function clone(one) {
    if (typeof one === 'symbol' || typeof one === 'function') refuse(shown(one));
    if (typeof one !== 'object' || one === null) return one;
    if (known.has(one)) return known.get(one);
    if (some(UNCLONABLE, (constructor) => one instanceof constructor)) refuse(shown(one));
    const copy = shell(one, clone);
    if (copy !== undefined) {
      known.set(one, copy);
      fill(copy, one, clone);
      return copy;
    }
    return one instanceof Error ? cloneError(one) : cloneProperties(one);
  }

  function cloneError(error) {
    const copy = new (ERRORS[error.name] ?? Error)(error.message);
    known.set(error, copy);
    if (!Object.hasOwn(error, 'message')) delete copy.message;
    if (typeof error.stack === 'string') {
      Object.defineProperty(copy, 'stack', {
        configurable: true, writable: true, value: error.stack,
      });
    }
    if (Object.hasOwn(error, 'cause')) {
      const cause = clone(error.cause);
      Object.defineProperty(copy, 'cause', { configurable: true, writable: true, value: cause });
    }
    return copy;
  }

  function cloneProperties(object) {
    const copy = Array.isArray(object) ? new Array(object.length) : {};
    known.set(object, copy);
    for (const key of each(Object.keys(object))) {
      Object.defineProperty(copy, key, {
        configurable: true, enumerable: true, writable: true, value: clone(object[key]),
      });
    }
    return copy;
  }

  return clone(value);
}

module.exports = { structuredClone };
