'use strict';
// Node's `string_decoder`: text from pieces of bytes, where a character may be cut in two.
//
// Natives: those of `internal/utf8`.

const { codes } = require('internal/errors');
const { Buffer } = require('buffer');
const { find } = require('internal/buffer_text');
const utf8 = require('internal/utf8');
const { bytesSubarray, slice } = require('internal/primordials');

// By the second byte; the first half of a pair waits for the second.
const isHighSurrogate = (byte) => (byte & 0xfc) === 0xd8;

// How many bytes at the end must wait for more, by encoding; `before` is how many waited before.
const WAITING = {
  'utf8': utf8.unfinished,
  'utf16le'(bytes, before) {
    // What had to wait is finished first: a unit of which one byte came, or a pair. As in Node, a
    // unit that came in two pieces is not taken for the half of a pair.
    const first = [0, 2, 4, 4][before];
    if (bytes.length <= first) return bytes.length < first ? bytes.length : 0;
    if (bytes.length % 2 === 1) return 1;
    return isHighSurrogate(bytes[bytes.length - 1]) ? 2 : 0;
  },
  'base64': (bytes) => bytes.length % 3,
  'base64url': (bytes) => bytes.length % 3,
};

const kEncoding = Symbol('encoding');
const kRest = Symbol('rest');

function StringDecoder(name) {
  const given = name === undefined || name === null || name === '' ? 'utf8' : name;
  const encoding = find(given);
  if (encoding === undefined) throw new codes.ERR_UNKNOWN_ENCODING(name);
  this.encoding = encoding.name;
  this[kEncoding] = encoding;
  this[kRest] = Buffer.alloc(0);
}

StringDecoder.prototype.write = function write(piece) {
  if (typeof piece === 'string') return piece;
  if (!ArrayBuffer.isView(piece)) {
    const kinds = ['Buffer', 'TypedArray', 'DataView'];
    throw new codes.ERR_INVALID_ARG_TYPE('buf', kinds, piece);
  }
  const more = Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength);
  const bytes = this[kRest].length > 0 ? Buffer.concat([this[kRest], more]) : more;
  const before = this[kRest].length;
  const end = bytes.length - (WAITING[this.encoding]?.(bytes, before) ?? 0);
  // A copy: the caller may write over what it gave.
  this[kRest] = Buffer.from(bytesSubarray(bytes, end));
  return this[kEncoding].decode(bytesSubarray(bytes, 0, end));
};

StringDecoder.prototype.end = function end(piece) {
  const text = piece === undefined ? '' : this.write(piece);
  const rest = this[kRest];
  this[kRest] = Buffer.alloc(0);
  return text + this[kEncoding].decode(rest);
};

StringDecoder.prototype.text = function text(piece, offset) {
  this[kRest] = Buffer.alloc(0);
  return this.write(slice(piece, offset));
};

// What waits, with room for the rest of it, as Node shows it.
Object.defineProperties(StringDecoder.prototype, {
  lastChar: {
    configurable: true,
    enumerable: true,
    get() {
      return Buffer.concat([this[kRest]], 4);
    },
  },
  lastTotal: {
    configurable: true,
    enumerable: true,
    get() {
      return this[kRest].length;
    },
  },
});

module.exports = { StringDecoder };
