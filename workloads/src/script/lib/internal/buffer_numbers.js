'use strict';
// Numbers in buffers: `readInt8` to `writeDoubleBE`, made from one table onto the prototype.
//
// Natives: none.

const { codes } = require('internal/errors');
const { checkNumber } = require('internal/checks');
const { each, includes, replace } = require('internal/primordials');

const TWO_32 = 2 ** 32;

// Throws what a wrong offset deserves; `most` is the last offset that had been right.
function boundsError(value, most, name) {
  if (Math.floor(value) !== value) {
    checkNumber(value, name);
    throw new codes.ERR_OUT_OF_RANGE(name || 'offset', 'an integer', value);
  }
  if (most < 0) throw new codes.ERR_BUFFER_OUT_OF_BOUNDS();
  const range = `>= ${name ? 1 : 0} and <= ${most}`;
  throw new codes.ERR_OUT_OF_RANGE(name || 'offset', range, value);
}

function checkOffset(buffer, offset, size) {
  checkNumber(offset, 'offset');
  if (buffer[offset] === undefined || buffer[offset + size - 1] === undefined) {
    boundsError(offset, buffer.length - size);
  }
}

function checkValue(value, min, max, size) {
  // What can't be compared, such as NaN, passes.
  if (!(value > max || value < min)) return;
  const n = typeof min === 'bigint' ? 'n' : '';
  let range = `>= ${min}${n} and <= ${max}${n}`;
  if (size > 4) {
    const power = (bits) => `2${n} ** ${bits}${n}`;
    range = min < 0 ?
      `>= -(${power(size * 8 - 1)}) and < ${power(size * 8 - 1)}` :
      `>= 0${n} and < ${power(size * 8)}`;
  }
  throw new codes.ERR_OUT_OF_RANGE('value', range, value);
}

// Bytes of `size`, the least first, as an unsigned number.
function load(buffer, offset, size, little) {
  let value = 0;
  for (let i = 0; i < size; i++) {
    value = value * 256 + buffer[little ? offset + size - 1 - i : offset + i];
  }
  return value;
}

function store(buffer, value, offset, size, little) {
  let low = value >>> 0;
  let high = size > 4 ? Math.floor(value / TWO_32) >>> 0 : 0;
  for (let i = 0; i < size; i++) {
    buffer[little ? offset + i : offset + size - 1 - i] = low;
    low = i === 3 ? high : low >>> 8;
    if (i > 3) high = 0;
  }
  return offset + size;
}

function limits(size, signed) {
  const all = 2 ** (size * 8);
  return signed ? [-all / 2, all / 2 - 1] : [0, all - 1];
}

function readInteger(buffer, offset, size, signed, little) {
  checkOffset(buffer, offset, size);
  const value = load(buffer, offset, size, little);
  const half = 2 ** (size * 8 - 1);
  return signed && value >= half ? value - 2 * half : value;
}

function writeInteger(buffer, given, offset, size, signed, little) {
  const value = +given;
  const { 0: min, 1: max } = limits(size, signed);
  if (size === 1) checkNumber(offset, 'offset');
  checkValue(value, min, max, size);
  checkOffset(buffer, offset, size);
  return store(buffer, value, offset, size, little);
}

const methods = {};

// Adds a method, and for unsigned ones its second name: `readUInt8` is `readUint8`, too.
function define(name, method) {
  Object.defineProperty(method, 'name', { value: name });
  methods[name] = method;
  if (includes(name, 'UInt')) methods[replace(name, 'UInt', 'Uint')] = method;
}

function defineIntegers(size, signed) {
  for (const little of each([true, false])) {
    const kind = `${signed ? '' : 'U'}Int${size * 8}${size === 1 ? '' : little ? 'LE' : 'BE'}`;
    define(`read${kind}`, function(offset = 0) {
      return readInteger(this, offset, size, signed, little);
    });
    define(`write${kind}`, function(value, offset = 0) {
      return writeInteger(this, value, offset, size, signed, little);
    });
  }
}

const isSize = (size) => Number.isInteger(size) && size >= 1 && size <= 6;

function defineOfAnySize(signed, little) {
  const kind = `${signed ? '' : 'U'}Int${little ? 'LE' : 'BE'}`;
  define(`read${kind}`, function(offset, size) {
    if (offset === undefined) throw new codes.ERR_INVALID_ARG_TYPE('offset', 'number', offset);
    if (!isSize(size)) boundsError(size, 6, 'byteLength');
    return readInteger(this, offset, size, signed, little);
  });
  define(`write${kind}`, function(value, offset, size) {
    if (!isSize(size)) boundsError(size, 6, 'byteLength');
    return writeInteger(this, value, offset, size, signed, little);
  });
}

function view(buffer) {
  return new DataView(buffer.buffer, buffer.byteOffset, buffer.byteLength);
}

function defineFloats(kind, type, size) {
  for (const little of each([true, false])) {
    const name = `${kind}${little ? 'LE' : 'BE'}`;
    define(`read${name}`, function(offset = 0) {
      checkOffset(this, offset, size);
      return view(this)[`get${type}`](offset, little);
    });
    define(`write${name}`, function(value, offset = 0) {
      const number = +value;
      checkOffset(this, offset, size);
      view(this)[`set${type}`](offset, number, little);
      return offset + size;
    });
  }
}

function defineBigIntegers(signed) {
  const type = signed ? 'BigInt64' : 'BigUint64';
  const min = signed ? -(1n << 63n) : 0n;
  const max = signed ? (1n << 63n) - 1n : (1n << 64n) - 1n;
  for (const little of each([true, false])) {
    const name = `${signed ? 'BigInt64' : 'BigUInt64'}${little ? 'LE' : 'BE'}`;
    define(`read${name}`, function(offset = 0) {
      checkOffset(this, offset, 8);
      return view(this)[`get${type}`](offset, little);
    });
    define(`write${name}`, function(value, offset = 0) {
      checkValue(value, min, max, 8);
      checkOffset(this, offset, 8);
      if (typeof value !== 'bigint') {
        throw new TypeError('Cannot mix BigInt and other types, use explicit conversions');
      }
      view(this)[`set${type}`](offset, value, little);
      return offset + 8;
    });
  }
}

for (const signed of each([false, true])) {
  for (const size of each([1, 2, 4])) defineIntegers(size, signed);
  for (const little of each([true, false])) defineOfAnySize(signed, little);
  defineBigIntegers(signed);
}
defineFloats('Float', 'Float32', 4);
defineFloats('Double', 'Float64', 8);

module.exports = { methods };
