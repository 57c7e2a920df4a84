'use strict';
// Deep equality: `isDeepStrictEqual`, and the loose form of `assert.deepEqual`.
//
// Cost: linear in the values; sets and maps whose members are objects compare them pairwise.
// **Invariant:** it ends on values that contain themselves: a pair being compared counts as equal.
// From `internal`: what `internal/types` uses.

const types = require('internal/types');
const {
  each, every, filter, isEnumerable, pushAll, tagOf, test, timeOf,
} = require('internal/primordials');

const HIDDEN_OF_ERROR = ['message', 'name', 'cause', 'errors'];

// `run` is { isStrict, open }: `open` holds the pairs that are being compared, left to rights.
function equal(run, left, right) {
  if (left === right) return !run.isStrict || left !== 0 || Object.is(left, right);
  if (!isThing(left) || !isThing(right)) return equalPrimitives(run, left, right);
  if (run.isStrict && Object.getPrototypeOf(left) !== Object.getPrototypeOf(right)) return false;
  const tag = tagOf(left);
  if (tag !== tagOf(right) || Array.isArray(left) !== Array.isArray(right)) return false;
  if (tag !== '[object Object]' && !equalKinds(run, left, right)) return false;
  const keys = sharedKeys(run, left, right);
  return keys !== undefined && equalInside(run, left, right, keys);
}

function isThing(value) {
  return value !== null && typeof value === 'object';
}

function equalPrimitives(run, left, right) {
  if (run.isStrict) return left !== left && right !== right;
  if (isThing(left) || isThing(right)) return false;
  return left == right || (left !== left && right !== right);
}

// What the object is besides its properties.
function equalKinds(run, left, right) {
  if (Array.isArray(left)) return left.length === right.length;
  if (types.isDate(left)) {
    return types.isDate(right) && timeOf(left) === timeOf(right);
  }
  if (types.isRegExp(left)) {
    return types.isRegExp(right) && left.source === right.source && left.flags === right.flags &&
      left.lastIndex === right.lastIndex;
  }
  if (ArrayBuffer.isView(left)) return ArrayBuffer.isView(right) && equalViews(run, left, right);
  if (types.isSet(left)) return types.isSet(right) && left.size === right.size;
  if (types.isMap(left)) return types.isMap(right) && left.size === right.size;
  if (types.isAnyArrayBuffer(left)) {
    return types.isAnyArrayBuffer(right) && left.byteLength === right.byteLength &&
      equalBytes(new Uint8Array(left), new Uint8Array(right));
  }
  if (types.isError(left)) return types.isError(right) && equalErrors(run, left, right);
  if (types.isBoxedPrimitive(left)) return equalBoxes(left, right);
  if (isOtherKind(right)) return false;
  return !isUrl(left) || (isUrl(right) && left.href === right.href);
}

function isOtherKind(value) {
  return ArrayBuffer.isView(value) || types.isSet(value) || types.isMap(value) ||
    types.isDate(value) || types.isRegExp(value) || types.isAnyArrayBuffer(value) ||
    types.isBoxedPrimitive(value) || types.isError(value);
}

function isUrl(value) {
  return value[Symbol.toStringTag] === 'URL' && typeof value.href === 'string';
}

function equalBytes(left, right) {
  for (let i = 0; i < left.length; i++) if (left[i] !== right[i]) return false;
  return true;
}

function equalViews(run, left, right) {
  const name = types.typedArrayName(left);
  if (name !== types.typedArrayName(right) || left.byteLength !== right.byteLength) return false;
  // Loosely, 0 and -0 are one number; strictly, the bytes count.
  if (!run.isStrict && test(/^Float/, name)) return equalBytes(left, right);
  const bytes = (view) => new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
  return equalBytes(bytes(left), bytes(right));
}

// An error's message, name, cause and errors count though they are hidden; its stack does not.
function equalErrors(run, left, right) {
  return every(HIDDEN_OF_ERROR, (key) => {
    const listed = isEnumerable(left, key);
    if (listed !== isEnumerable(right, key)) return false;
    return listed || equal(run, left[key], right[key]);
  });
}

function equalBoxes(left, right) {
  for (const Box of each([Number, String, Boolean, BigInt, Symbol])) {
    const isBox = types[`is${Box.name}Object`];
    if (!isBox(left)) continue;
    const open = (box) => Box.prototype.valueOf.call(box);
    return isBox(right) && Object.is(open(left), open(right));
  }
  return false;
}

// The keys to compare, or undefined where the two have different ones.
function sharedKeys(run, left, right) {
  const keys = Object.keys(left);
  if (keys.length !== Object.keys(right).length) return undefined;
  if (run.isStrict) {
    const symbols = enumerableSymbols(left);
    if (symbols.length !== enumerableSymbols(right).length) return undefined;
    pushAll(keys, symbols);
  }
  // The bytes of a view are compared already.
  const named = ArrayBuffer.isView(left) ?
    filter(keys, (key) => !test(/^\d+$/, String(key))) : keys;
  return every(named, (key) => isEnumerable(right, key)) ? named : undefined;
}

function enumerableSymbols(value) {
  return filter(Object.getOwnPropertySymbols(value), (symbol) => isEnumerable(value, symbol));
}

function equalInside(run, left, right, keys) {
  let rights = run.open.get(left);
  if (rights === undefined) run.open.set(left, rights = new Set());
  if (rights.has(right)) return true;
  rights.add(right);
  const result = every(keys, (key) => equal(run, left[key], right[key])) &&
    (!types.isSet(left) || equalSets(run, left, right)) &&
    (!types.isMap(left) || equalMaps(run, left, right));
  rights.delete(right);
  return result;
}

// Takes from `candidates` the first that `matches`; false where there is none.
function take(candidates, matches) {
  for (const candidate of candidates) {
    if (matches(candidate)) {
      candidates.delete(candidate);
      return true;
    }
  }
  return false;
}

function equalSets(run, left, right) {
  const unmatched = new Set();
  for (const member of left) {
    if (right.has(member)) continue;
    if (run.isStrict && !isThing(member)) return false;
    unmatched.add(member);
  }
  if (unmatched.size === 0) return true;
  for (const member of right) {
    if (left.has(member)) continue;
    if (!take(unmatched, (other) => equal(run, other, member))) return false;
  }
  return unmatched.size === 0;
}

function equalMaps(run, left, right) {
  const unmatched = new Set();
  const isSame = (key) => right.has(key) && left.has(key) &&
    equal(run, left.get(key), right.get(key));
  for (const key of left.keys()) {
    if (!isThing(key) && isSame(key)) continue;
    if (run.isStrict && !isThing(key)) return false;
    unmatched.add(key);
  }
  for (const { 0: key, 1: value } of right) {
    if (!isThing(key) && isSame(key)) continue;
    const matches = (other) => equal(run, other, key) && equal(run, left.get(other), value);
    if (!take(unmatched, matches)) return false;
  }
  return unmatched.size === 0;
}

function isDeepStrictEqual(left, right) {
  return equal({ isStrict: true, open: new Map() }, left, right);
}

function isDeepEqual(left, right) {
  return equal({ isStrict: false, open: new Map() }, left, right);
}

module.exports = { isDeepEqual, isDeepStrictEqual };
