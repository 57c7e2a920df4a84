'use strict';
// `TextEncoder` and `TextDecoder`, for UTF-8 alone.
//
// Natives: those of `internal/utf8`.

const { codes } = require('internal/errors');
const utf8 = require('internal/utf8');
const {
  bytesSet, bytesSubarray, charCodeAt, chars, each, includes, replace, slice, toLowerCase,
} = require('internal/primordials');

const inspectCustom = Symbol.for('nodejs.util.inspect.custom');
// The names that the web gives to UTF-8.
const LABELS = ['unicode-1-1-utf-8', 'unicode11utf8', 'unicode20utf8', 'utf-8', 'utf8',
  'x-unicode20utf8'];

class TextEncoder {
  get encoding() {
    return 'utf-8';
  }

  encode(input = '') {
    return utf8.encode(`${input}`);
  }

  encodeInto(source, target) {
    if (typeof source !== 'string') {
      throw new codes.ERR_INVALID_ARG_TYPE('src', 'string', source);
    }
    if (!(target instanceof Uint8Array)) {
      throw new codes.ERR_INVALID_ARG_TYPE('dest', 'Uint8Array', target);
    }
    let read = 0;
    let written = 0;
    for (const character of chars(source)) {
      const bytes = utf8.encode(character);
      if (written + bytes.length > target.length) break;
      bytesSet(target, bytes, written);
      written += bytes.length;
      read += character.length;
    }
    return { read, written };
  }
}

function bytesOf(input) {
  if (input === undefined) return new Uint8Array();
  if (ArrayBuffer.isView(input)) {
    return new Uint8Array(input.buffer, input.byteOffset, input.byteLength);
  }
  const shared = typeof SharedArrayBuffer === 'function' && input instanceof SharedArrayBuffer;
  if (input instanceof ArrayBuffer || shared) return new Uint8Array(input);
  const error = new TypeError('The "list" argument must be an instance of SharedArrayBuffer, ' +
    'ArrayBuffer or ArrayBufferView.');
  error.code = 'ERR_INVALID_ARG_TYPE';
  throw error;
}

function joined(first, second) {
  if (first.length === 0) return second;
  const both = new Uint8Array(first.length + second.length);
  both.set(first);
  both.set(second, first.length);
  return both;
}

class TextDecoder {
  #fatal;
  #ignoreBom;
  // What a stream has begun: bytes of an unfinished character, and whether a mark may still come.
  #rest = new Uint8Array();
  #atStart = true;

  constructor(encoding = 'utf-8', options = {}) {
    const label = toLowerCase(replace(`${encoding}`, /^[\t\n\f\r ]+|[\t\n\f\r ]+$/g, ''));
    if (!includes(LABELS, label)) throw new codes.ERR_ENCODING_NOT_SUPPORTED(`${encoding}`);
    require('internal/checks').checkOptions(options ?? {}, 'options');
    this.#fatal = Boolean(options?.fatal);
    this.#ignoreBom = Boolean(options?.ignoreBOM);
  }

  get encoding() {
    return 'utf-8';
  }

  get fatal() {
    return this.#fatal;
  }

  get ignoreBOM() {
    return this.#ignoreBom;
  }

  decode(input = undefined, options = {}) {
    const bytes = joined(this.#rest, bytesOf(input));
    const stream = Boolean(options?.stream);
    const end = bytes.length - (stream ? utf8.unfinished(bytes) : 0);
    const whole = bytesSubarray(bytes, 0, end);
    this.#rest = bytes.slice(end);
    if (this.#fatal && !utf8.isValid(whole)) {
      this.#reset();
      throw new codes.ERR_ENCODING_INVALID_ENCODED_DATA('utf-8', undefined);
    }
    const text = utf8.decode(whole);
    const marked = this.#atStart && !this.#ignoreBom && charCodeAt(text, 0) === 0xfeff;
    if (!stream) this.#reset();
    else if (text !== '') this.#atStart = false;
    return marked ? slice(text, 1) : text;
  }

  #reset() {
    this.#rest = new Uint8Array();
    this.#atStart = true;
  }

  [inspectCustom](depth, options) {
    if (typeof depth === 'number' && depth < 0) return this;
    const { inspect } = require('internal/inspect');
    const { encoding, fatal, ignoreBOM } = this;
    return `${this.constructor.name} ${inspect({ encoding, fatal, ignoreBOM }, options)}`;
  }
}

for (const Class of each([TextEncoder, TextDecoder])) {
  const tag = { value: Class.name, configurable: true };
  Object.defineProperty(Class.prototype, Symbol.toStringTag, tag);
}

module.exports = { TextDecoder, TextEncoder };
