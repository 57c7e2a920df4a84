'use strict';
// Node's `buffer`: `Buffer` as a kind of Uint8Array, `atob`, `btoa`.
//
// Every buffer has memory of its own: there is no pool, so `allocUnsafe` gives zeros, too.
// Left out: `Blob`, `File`, `transcode`, `resolveObjectURL`.
//
// Natives: those of `internal/utf8`.

const { codes } = require('internal/errors');
const { checkInteger, checkNumber, checkString } = require('internal/checks');
const { ENCODINGS, find, fitting } = require('internal/buffer_text');
const search = require('internal/buffer_search');
const utf8 = require('internal/utf8');
const {
  bytesFill, bytesReverse, bytesSet, bytesSlice, bytesSubarray, each, forEach, fromEntries, map,
  reduce, replace, slice, test,
} = require('internal/primordials');

const kMaxLength = 2 ** 32;
const kStringMaxLength = 2 ** 29 - 24;
const inspectCustom = Symbol.for('nodejs.util.inspect.custom');

let inspectBytesMax = 50;

// What buffers are made by; scripts see `Buffer`, which may be called without `new`.
class FastBuffer extends Uint8Array {}

function Buffer(value, encodingOrOffset, length) {
  if (typeof value === 'number') {
    if (typeof encodingOrOffset === 'string') {
      throw new codes.ERR_INVALID_ARG_TYPE('string', 'string', value);
    }
    return Buffer.alloc(value);
  }
  return Buffer.from(value, encodingOrOffset, length);
}

Object.setPrototypeOf(Buffer, Uint8Array);
Buffer.prototype = FastBuffer.prototype;
Object.defineProperty(FastBuffer.prototype, 'constructor', {
  value: Buffer, writable: true, configurable: true,
});
Object.defineProperty(Buffer, Symbol.species, { get: () => FastBuffer, configurable: true });
Buffer.poolSize = 8192;

// The same memory, seen as a buffer.
function over(bytes) {
  return new FastBuffer(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

const isBytes = (value) => value instanceof Uint8Array;

function isMemory(value) {
  return value instanceof ArrayBuffer ||
    (typeof SharedArrayBuffer === 'function' && value instanceof SharedArrayBuffer);
}

function checkBytes(value, name) {
  if (!isBytes(value)) {
    throw new codes.ERR_INVALID_ARG_TYPE(name, ['Buffer', 'Uint8Array'], value);
  }
}

const checkOffset = (value, name, min = 0, max = kMaxLength) => checkInteger(value, name, min, max);

function encodingOf(name) {
  const encoding = find(name);
  if (encoding === undefined) throw new codes.ERR_UNKNOWN_ENCODING(name);
  return encoding;
}

// ---- making ----

Buffer.from = function from(value, encodingOrOffset, length) {
  if (typeof value === 'string') return fromString(value, encodingOrOffset);
  if (typeof value === 'object' && value !== null) {
    if (isMemory(value)) return fromMemory(value, encodingOrOffset, length);
    const inner = value.valueOf && value.valueOf();
    const has = inner !== undefined && inner !== null && inner !== value;
    if (has && (typeof inner === 'string' || typeof inner === 'object')) {
      return from(inner, encodingOrOffset, length);
    }
    const made = fromObject(value);
    if (made !== undefined) return made;
    if (typeof value[Symbol.toPrimitive] === 'function') {
      const primitive = value[Symbol.toPrimitive]('string');
      if (typeof primitive === 'string') return fromString(primitive, encodingOrOffset);
    }
  }
  const kinds = ['string', 'Buffer', 'ArrayBuffer', 'Array', 'Array-like Object'];
  throw new codes.ERR_INVALID_ARG_TYPE('first argument', kinds, value);
};

function fromString(string, name) {
  const encoding = !name || typeof name !== 'string' ? ENCODINGS.utf8 : encodingOf(name);
  const bytes = encoding.encode(string);
  // Where less was made than there was room for, the rest isn't kept.
  return bytes.byteLength < bytes.buffer.byteLength ? new FastBuffer(bytes) : over(bytes);
}

function fromMemory(memory, givenOffset, givenLength) {
  const offset = givenOffset === undefined ? 0 : +givenOffset || 0;
  const most = memory.byteLength - offset;
  if (most < 0) throw new codes.ERR_BUFFER_OUT_OF_BOUNDS('offset');
  if (givenLength === undefined) return new FastBuffer(memory, offset, most);
  const length = +givenLength > 0 ? +givenLength : 0;
  if (length > most) throw new codes.ERR_BUFFER_OUT_OF_BOUNDS('length');
  return new FastBuffer(memory, offset, length);
}

function fromObject(object) {
  if (object.length !== undefined || isMemory(object.buffer)) {
    return typeof object.length === 'number' ? fromList(object) : new FastBuffer();
  }
  const isJson = object.type === 'Buffer' && Array.isArray(object.data);
  return isJson ? fromList(object.data) : undefined;
}

function fromList(list) {
  if (list.length <= 0) return new FastBuffer();
  const made = new FastBuffer(list.length);
  bytesSet(made, list);
  return made;
}

Buffer.of = function of(...bytes) {
  return fromList(bytes);
};

Buffer.copyBytesFrom = function copyBytesFrom(view, offset, length) {
  if (!ArrayBuffer.isView(view) || view instanceof DataView) {
    throw new codes.ERR_INVALID_ARG_TYPE('view', ['TypedArray'], view);
  }
  if (view.length === 0) return new FastBuffer();
  if (offset !== undefined) checkInteger(offset, 'offset', 0);
  if (length !== undefined) checkInteger(length, 'length', 0);
  const begin = offset ?? 0;
  const part = view.slice(begin, length === undefined ? view.length : begin + length);
  return over(part);
};

Buffer.alloc = function alloc(size, value, encoding) {
  checkNumber(size, 'size', 0, kMaxLength);
  const made = new FastBuffer(size);
  if (value === undefined || value === 0 || size <= 0) return made;
  return made.fill(value, 0, made.length, encoding);
};

Buffer.allocUnsafe = function allocUnsafe(size) {
  checkNumber(size, 'size', 0, kMaxLength);
  return new FastBuffer(size);
};

Buffer.allocUnsafeSlow = function allocUnsafeSlow(size) {
  return Buffer.allocUnsafe(size);
};

Buffer.concat = function concat(list, length) {
  if (!Array.isArray(list)) throw new codes.ERR_INVALID_ARG_TYPE('list', 'Array', list);
  if (list.length === 0) return new FastBuffer();
  let size = length;
  if (size === undefined) size = reduce(list, (sum, item) => sum + (item.length || 0), 0);
  else checkOffset(size, 'length');
  const made = new FastBuffer(size);
  let at = 0;
  forEach(list, (item, index) => {
    checkBytes(item, `list[${index}]`);
    const part = bytesSubarray(item, 0, size - at);
    bytesSet(made, part, at);
    at += part.length;
  });
  return made;
};

// ---- asking ----

Buffer.isBuffer = function isBuffer(value) {
  return value instanceof Buffer;
};

Buffer.isEncoding = function isEncoding(name) {
  return typeof name === 'string' && find(name) !== undefined;
};

Buffer.byteLength = function byteLength(value, name) {
  if (typeof value !== 'string') {
    if (ArrayBuffer.isView(value) || isMemory(value)) return value.byteLength;
    const kinds = ['string', 'Buffer', 'ArrayBuffer'];
    throw new codes.ERR_INVALID_ARG_TYPE('string', kinds, value);
  }
  const encoding = (name && find(name)) || ENCODINGS.utf8;
  return encoding.length(value);
};

Buffer.compare = function compare(buf1, buf2) {
  checkBytes(buf1, 'buf1');
  checkBytes(buf2, 'buf2');
  return search.compare(buf1, buf2);
};

const methods = {
  equals(otherBuffer) {
    checkBytes(otherBuffer, 'otherBuffer');
    return this.length === otherBuffer.length && search.compare(this, otherBuffer) === 0;
  },

  compare(target, targetStart = 0, targetEnd, sourceStart = 0, sourceEnd) {
    checkBytes(target, 'target');
    checkOffset(targetStart, 'targetStart');
    if (targetEnd !== undefined) checkOffset(targetEnd, 'targetEnd', 0, target.length);
    checkOffset(sourceStart, 'sourceStart');
    if (sourceEnd !== undefined) checkOffset(sourceEnd, 'sourceEnd', 0, this.length);
    const source = bytesSlice(this, sourceStart, sourceEnd);
    return search.compare(source, bytesSlice(target, targetStart, targetEnd));
  },

  indexOf(value, byteOffset, encoding) {
    return seek(this, value, byteOffset, encoding, true);
  },

  lastIndexOf(value, byteOffset, encoding) {
    return seek(this, value, byteOffset, encoding, false);
  },

  includes(value, byteOffset, encoding) {
    return seek(this, value, byteOffset, encoding, true) !== -1;
  },

  // ---- text ----

  toString(name, start, end) {
    const from = start <= 0 ? 0 : Math.trunc(start) || 0;
    const to = end === undefined || end > this.length ? this.length : Math.trunc(end) || 0;
    if (to <= from) return '';
    const encoding = name === undefined ? ENCODINGS.utf8 : encodingOf(name);
    return encoding.decode(new Uint8Array(this.buffer, this.byteOffset + from, to - from));
  },

  write(string, offset, length, encoding) {
    if (offset === undefined) return put(this, string, 0, this.length, undefined);
    if (length === undefined && typeof offset === 'string') {
      return put(this, string, 0, this.length, offset);
    }
    checkOffset(offset, 'offset', 0, this.length);
    const room = this.length - offset;
    if (length === undefined) return put(this, string, offset, room, encoding);
    if (typeof length === 'string') return put(this, string, offset, room, length);
    checkOffset(length, 'length', 0, this.length);
    return put(this, string, offset, Math.min(length, room), encoding);
  },

  toJSON() {
    return { type: 'Buffer', data: slice(this) };
  },

  inspect(depth, options) {
    const shown = new Uint8Array(this.buffer, this.byteOffset, Math.min(this.length,
      inspectBytesMax));
    let text = replace(ENCODINGS.hex.decode(shown), /.{2}(?=.)/g, (byte) => `${byte} `);
    const more = this.length - inspectBytesMax;
    if (more > 0) text += ` ... ${more} more byte${more > 1 ? 's' : ''}`;
    const extras = slice(Object.keys(this), this.length);
    if (options && extras.length > 0) {
      const { inspect } = require('internal/inspect');
      const object = fromEntries(map(extras, (key) => [key, this[key]]));
      const settings = { ...options, breakLength: Infinity, compact: true };
      text += (this.length === 0 ? '' : ', ') + slice(inspect(object, settings), 2, -2);
    }
    return `<${this.constructor.name} ${text}>`;
  },

  // ---- parts ----

  subarray(start, end) {
    const from = place(start, this.length);
    const to = end === undefined ? this.length : place(end, this.length);
    return new FastBuffer(this.buffer, this.byteOffset + from, Math.max(to - from, 0));
  },

  slice(start, end) {
    return bytesSubarray(this, start, end);
  },

  copy(target, targetStart, sourceStart, sourceEnd) {
    checkBytes(this, 'source');
    checkBytes(target, 'target');
    const to = whole(targetStart, 0);
    if (to < 0) throw new codes.ERR_OUT_OF_RANGE('targetStart', '>= 0', to);
    const from = whole(sourceStart, 0);
    if (from < 0 || from > this.length) {
      throw new codes.ERR_OUT_OF_RANGE('sourceStart', `>= 0 && <= ${this.length}`, from);
    }
    const end = sourceEnd === undefined ? this.length : whole(sourceEnd, 0);
    if (end < 0) throw new codes.ERR_OUT_OF_RANGE('sourceEnd', '>= 0', end);
    if (to >= target.length || from >= end) return 0;
    const count = Math.min(end - from, target.length - to, this.length - from);
    const part = new Uint8Array(this.buffer, this.byteOffset + from, count);
    bytesSet(target, part, to);
    return count;
  },

  fill(value, offset, end, encoding) {
    return fill(this, value, offset, end, encoding);
  },

  swap16() {
    return swap(this, 2);
  },

  swap32() {
    return swap(this, 4);
  },

  swap64() {
    return swap(this, 8);
  },
};

for (const source of each([methods, require('internal/buffer_numbers').methods])) {
  for (const name of each(Object.keys(source))) Buffer.prototype[name] = source[name];
}
Buffer.prototype.toLocaleString = Buffer.prototype.toString;
Buffer.prototype[inspectCustom] = Buffer.prototype.inspect;
for (const { 0: name, 1: property } of each([['parent', 'buffer'], ['offset', 'byteOffset']])) {
  Object.defineProperty(Buffer.prototype, name, {
    enumerable: true,
    get() {
      return this instanceof Buffer ? this[property] : undefined;
    },
  });
}

// An index that may count from the end.
function place(index, length) {
  const at = Math.trunc(index) || 0;
  return at < 0 ? Math.max(at + length, 0) : Math.min(at, length);
}

function whole(value, otherwise) {
  const number = +value;
  return Number.isSafeInteger(Math.floor(number)) ? Math.floor(number) : otherwise;
}

function seek(buffer, value, byteOffset, encoding, forward) {
  if (typeof byteOffset === 'string') return seek(buffer, value, undefined, byteOffset, forward);
  let offset = +Math.max(-0x80000000, Math.min(0x7fffffff, +byteOffset));
  if (Number.isNaN(offset)) offset = forward ? 0 : buffer.length;
  if (typeof value === 'number') {
    return search.indexOf(buffer, [value & 255], offset, forward, 1);
  }
  if (typeof value === 'string') {
    const { name, encode } = encoding === undefined ? ENCODINGS.utf8 : encodingOf(encoding);
    if (name !== 'utf16le') return search.indexOf(buffer, encode(value), offset, forward, 1);
    const even = bytesSubarray(buffer, 0, buffer.length & ~1);
    return search.indexOf(even, encode(value), offset, forward, 2);
  }
  if (isBytes(value)) {
    const wide = encoding !== undefined && find(encoding)?.name === 'utf16le';
    return search.indexOf(buffer, value, offset, forward, wide ? 2 : 1);
  }
  const kinds = ['number', 'string', 'Buffer', 'Uint8Array'];
  throw new codes.ERR_INVALID_ARG_TYPE('value', kinds, value);
}

function put(buffer, string, offset, room, name) {
  const encoding = name ? encodingOf(name) : ENCODINGS.utf8;
  if (typeof string !== 'string') {
    const error = new TypeError('argument must be a string');
    error.code = 'ERR_INVALID_ARG_TYPE';
    throw error;
  }
  const bytes = encoding.encode(string);
  const count = fitting(encoding, bytes, room);
  bytesSet(buffer, bytesSubarray(bytes, 0, count), offset);
  return count;
}

function fill(buffer, value, offset, end, encoding) {
  if (typeof value === 'string') {
    if (offset === undefined || typeof offset === 'string') {
      return fillText(buffer, value, 0, buffer.length, offset);
    }
    if (typeof end === 'string') return fillText(buffer, value, offset, buffer.length, end);
    return fillText(buffer, value, offset, end, encoding);
  }
  const { 0: from, 1: to } = fillRange(buffer, offset, end);
  if (from >= to) return buffer;
  if (isBytes(value)) return repeat(buffer, value, from, to, value);
  return bytesFill(buffer, Number(value) & 255, from, to);
}

function fillRange(buffer, offset, end) {
  if (offset === undefined) return [0, buffer.length];
  checkOffset(offset, 'offset');
  if (end !== undefined) checkOffset(end, 'end', 0, buffer.length);
  return [offset, end ?? buffer.length];
}

function fillText(buffer, text, offset, end, name) {
  if (name && find(name) === undefined) {
    checkString(name, 'encoding');
    throw new codes.ERR_UNKNOWN_ENCODING(name);
  }
  const { 0: from, 1: to } = fillRange(buffer, offset, end);
  if (from >= to) return buffer;
  if (text.length === 0) return bytesFill(buffer, 0, from, to);
  const bytes = (name ? find(name) : ENCODINGS.utf8).encode(text);
  return repeat(buffer, bytes, from, to, text);
}

function repeat(buffer, bytes, from, to, value) {
  if (bytes.length === 0) throw new codes.ERR_INVALID_ARG_VALUE('value', value);
  const pattern = new Uint8Array(bytes);
  for (let i = from; i < to; i++) buffer[i] = pattern[(i - from) % pattern.length];
  return buffer;
}

function swap(buffer, size) {
  if (buffer.length % size !== 0) throw new codes.ERR_INVALID_BUFFER_SIZE(`${size * 8}-bits`);
  for (let at = 0; at < buffer.length; at += size) {
    bytesReverse(new Uint8Array(buffer.buffer, buffer.byteOffset + at, size));
  }
  return buffer;
}

// ---- text as the web's base64 ----

function invalid(message) {
  const { DOMException } = require('internal/dom_exception');
  return new DOMException(message, 'InvalidCharacterError');
}

function btoa(input) {
  if (arguments.length === 0) throw new codes.ERR_MISSING_ARGS('input');
  const text = `${input}`;
  if (test(/[^\0-\xff]/, text)) throw invalid('Invalid character');
  return ENCODINGS.base64.decode(ENCODINGS.latin1.encode(text));
}

function atob(input) {
  if (arguments.length === 0) throw new codes.ERR_MISSING_ARGS('input');
  let text = replace(`${input}`, /[\t\n\f\r ]/g, '');
  if (text.length % 4 === 0) text = replace(text, /==?$/, '');
  if (test(/[^A-Za-z0-9+/]/, text)) throw invalid('Invalid character');
  if (text.length % 4 === 1) {
    throw invalid('The string to be decoded is not correctly encoded.');
  }
  return ENCODINGS.latin1.decode(ENCODINGS.base64.encode(text));
}

function bytesOfInput(input) {
  if (isMemory(input)) return new Uint8Array(input);
  if (ArrayBuffer.isView(input) && !(input instanceof DataView)) return over(input);
  const kinds = ['ArrayBuffer', 'Buffer', 'TypedArray'];
  throw new codes.ERR_INVALID_ARG_TYPE('input', kinds, input);
}

const constants = Object.freeze({
  MAX_LENGTH: kMaxLength, MAX_STRING_LENGTH: kStringMaxLength,
});

module.exports = {
  Buffer, atob, btoa, constants, kMaxLength, kStringMaxLength,
  isAscii: (input) => bytesOfInput(input).every((byte) => byte < 128),
  isUtf8: (input) => utf8.isValid(bytesOfInput(input)),
};
Object.defineProperty(module.exports, 'INSPECT_MAX_BYTES', {
  configurable: true,
  enumerable: true,
  get: () => inspectBytesMax,
  set(value) {
    checkNumber(value, 'INSPECT_MAX_BYTES', 0);
    inspectBytesMax = value;
  },
});
