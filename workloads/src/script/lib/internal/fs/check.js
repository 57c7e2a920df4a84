'use strict';
// What the functions of `fs` are given: paths, descriptors, flags, modes, options. Each check
// throws the error, with the code and the words, that Node's own function throws for the same
// value.
//
// Natives: none.

const { codes } = require('internal/errors');
const { chars, each, forEach, includes, test } = require('internal/primordials');
const { checkAbortSignal, checkFunction, checkInteger, checkOptions } =
  require('internal/checks');

const INT_MAX = 2 ** 31 - 1;
const UINT_MAX = 2 ** 32 - 1;

const O = {
  RDONLY: 0, WRONLY: 1, RDWR: 2, CREAT: 0o100, EXCL: 0o200, TRUNC: 0o1000, APPEND: 0o2000,
  SYNC: 0o4010000,
};

// The bits of a flag's letters; `x` and `s` may stand on either side of the first.
const BASES = {
  r: O.RDONLY, 'r+': O.RDWR, w: O.TRUNC | O.CREAT | O.WRONLY, 'w+': O.TRUNC | O.CREAT | O.RDWR,
  a: O.APPEND | O.CREAT | O.WRONLY, 'a+': O.APPEND | O.CREAT | O.RDWR,
};
const FLAGS = new Map();
forEach(Object.entries(BASES), ({ 0: flag, 1: bits }) => FLAGS.set(flag, bits));
for (const { 0: extra, 1: letters, 2: bit } of each([['s', 'ra', O.SYNC], ['x', 'wa', O.EXCL]])) {
  for (const letter of chars(letters)) {
    for (const plus of each(['', '+'])) {
      const bits = BASES[letter + plus] | bit;
      FLAGS.set(`${letter}${extra}${plus}`, bits);
      FLAGS.set(`${extra}${letter}${plus}`, bits);
    }
  }
}

function checkedFlags(flags, name = 'flags') {
  if (typeof flags === 'number') {
    checkInteger(flags, name, -(2 ** 31), INT_MAX);
    return flags;
  }
  if (flags === undefined || flags === null) return O.RDONLY;
  const bits = FLAGS.get(flags);
  if (bits === undefined) throw new codes.ERR_INVALID_ARG_VALUE('flags', flags);
  return bits;
}

function checkedMode(mode, name, otherwise) {
  mode ??= otherwise;
  if (typeof mode === 'string') {
    if (!test(/^[0-7]+$/, mode)) {
      throw new codes.ERR_INVALID_ARG_VALUE(name, mode,
        'must be a 32-bit unsigned integer or an octal string');
    }
    mode = parseInt(mode, 8);
  }
  checkInteger(mode, name, 0, UINT_MAX);
  return mode;
}

const isUrl = (value) => Boolean(value?.href && value.protocol && value.auth === undefined &&
  value.path === undefined);

function fromUrl(url) {
  if (url.protocol !== 'file:') {
    const { ERR_INVALID_URL_SCHEME } = require('internal/errors').codes;
    throw new ERR_INVALID_URL_SCHEME('file');
  }
  return require('internal/file_url').toPath(url.href);
}

// A path as a string, whatever stands for it.
function checkedPath(path, name = 'path') {
  if (isUrl(path)) path = fromUrl(path);
  const isBytes = path instanceof Uint8Array;
  if (typeof path !== 'string' && !isBytes) {
    throw new codes.ERR_INVALID_ARG_TYPE(name, ['string', 'Buffer', 'URL'], path);
  }
  if (includes(path, isBytes ? 0 : '\u0000')) {
    throw new codes.ERR_INVALID_ARG_VALUE(name, path,
      'must be a string, Uint8Array, or URL without null bytes');
  }
  return isBytes ? require('buffer').Buffer.from(path).toString() : path;
}

function checkedDescriptor(fd, name = 'fd') {
  if (Object.is(fd, -0)) return 0;
  checkInteger(fd, name, 0, INT_MAX);
  return fd;
}

const isDescriptor = (value) => Number.isInteger(value) && value >= 0 && value <= INT_MAX;

function checkEncoding(encoding) {
  if (encoding && encoding !== 'buffer' && !require('buffer').Buffer.isEncoding(encoding)) {
    throw new codes.ERR_INVALID_ARG_VALUE('encoding', encoding, 'is invalid encoding');
  }
}

// Options given as an object, or as the name of an encoding, or not at all.
function checkedOptions(options, defaults = {}) {
  if (options === undefined || options === null || typeof options === 'function') return defaults;
  if (typeof options === 'string') options = { ...defaults, encoding: options };
  else if (typeof options !== 'object') {
    throw new codes.ERR_INVALID_ARG_TYPE('options', ['string', 'Object'], options);
  }
  checkEncoding(options.encoding);
  checkAbortSignal(options.signal, 'options.signal');
  return options;
}

function checkedCallback(callback) {
  checkFunction(callback, 'cb');
  return callback;
}

// The bytes of what is to be written.
function checkedData(data, encoding, name = 'data') {
  const { Buffer } = require('buffer');
  if (ArrayBuffer.isView(data)) {
    return Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  }
  checkText(data, name);
  return Buffer.from(data, encoding || 'utf8');
}

function checkText(data, name) {
  if (typeof data !== 'string') {
    const wanted = ['string', 'Buffer', 'TypedArray', 'DataView'];
    throw new codes.ERR_INVALID_ARG_TYPE(name, wanted, data);
  }
}

function checkView(buffer) {
  if (!ArrayBuffer.isView(buffer)) {
    throw new codes.ERR_INVALID_ARG_TYPE('buffer', ['Buffer', 'TypedArray', 'DataView'], buffer);
  }
}

function checkedPosition(position) {
  if (position === undefined || position === null) return -1;
  if (typeof position === 'bigint') return Number(position);
  if (typeof position !== 'number') {
    throw new codes.ERR_INVALID_ARG_TYPE('position', ['integer', 'bigint'], position);
  }
  checkInteger(position, 'position', -1);
  return position;
}

const outside = (name, range, value) => new codes.ERR_OUT_OF_RANGE(name, range, value);

// Where in a buffer is read to: (offset, length), checked.
function checkReadRange(buffer, offset, length) {
  if (buffer.byteLength === 0) {
    throw new codes.ERR_INVALID_ARG_VALUE('buffer', buffer, 'is empty and cannot be written');
  }
  if (length < 0) throw outside('length', '>= 0', length);
  if (offset + length > buffer.byteLength) {
    throw outside('length', `<= ${buffer.byteLength - offset}`, length);
  }
}

// The same of a buffer that is written.
function checkWriteRange(buffer, offset, length) {
  const rest = buffer.byteLength - offset;
  if (rest < 0) throw outside('offset', `<= ${buffer.byteLength}`, offset);
  if (length > rest) throw outside('length', `<= ${rest}`, length);
  if (length < 0) throw outside('length', '>= 0', length);
  checkInteger(length, 'length', 0, INT_MAX);
}

const RM_DEFAULTS = { recursive: false, force: false, maxRetries: 0, retryDelay: 100 };

function checkedRemoval(options) {
  const { checkBoolean } = require('internal/checks');
  if (options === undefined) return RM_DEFAULTS;
  checkOptions(options, 'options');
  options = { ...RM_DEFAULTS, ...options };
  checkBoolean(options.recursive, 'options.recursive');
  checkInteger(options.retryDelay, 'options.retryDelay', 0, INT_MAX);
  checkInteger(options.maxRetries, 'options.maxRetries', 0, UINT_MAX);
  checkBoolean(options.force, 'options.force');
  return options;
}

module.exports = {
  O, checkReadRange, checkText, checkView, checkWriteRange, checkedCallback, checkedData,
  checkedDescriptor, checkedFlags, checkedMode, checkedOptions, checkedPath, checkedPosition,
  checkedRemoval, isDescriptor,
};
