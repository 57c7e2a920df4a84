'use strict';
// Node's coded errors: `new codes.ERR_OUT_OF_RANGE(...)`, and system errors.
//
// Cost: one engine error each; the messages print values only when an error is made.
// **Invariant:** `name` is the plain class, `code` the code; the stack's first line shows both.
// From `internal`: nothing.

const {
  concat, each, endsWith, includes, indexOf, join, map, push, replace, slice, splice, startsWith,
  test, toLowerCase,
} = require('internal/primordials');

const KINDS = [
  'string', 'function', 'number', 'object', 'Function', 'Object', 'boolean', 'bigint', 'symbol',
];
const SHORT = 28; // characters of a received string that a message shows
const INSPECTED = 128;

const codes = {};

function inspect(value, options) {
  return require('internal/inspect').inspect(value, options);
}

function listed(words, joint = 'or') {
  if (words.length < 3) return join(words, ` ${joint} `);
  return `${join(slice(words, 0, -1), ', ')}, ${joint} ${words[words.length - 1]}`;
}

function receivedText(value) {
  if (value === null || value === undefined) return `${value}`;
  switch (typeof value) {
    case 'function':
      return `function ${value.name}`;
    case 'object':
      if (value.constructor && 'name' in value.constructor) {
        return `an instance of ${value.constructor.name}`;
      }
      return inspect(value, { depth: -1 });
    case 'string': {
      const shown = value.length > SHORT ? `${slice(value, 0, SHORT - 3)}...` : value;
      return `type string (${includes(shown, '\'') ? JSON.stringify(shown) : `'${shown}'`})`;
    }
    case 'bigint':
      return `type bigint (${value}n)`;
    default:
      return `type ${typeof value} (${Object.is(value, -0) ? '-0' : String(value)})`;
  }
}

function subjectText(name) {
  if (endsWith(name, ' argument')) return name;
  return `"${name}" ${includes(name, '.') ? 'property' : 'argument'}`;
}

function wantedText(expected) {
  const kinds = [];
  const classes = [];
  const others = [];
  for (const word of each(expected)) {
    if (includes(KINDS, word)) push(kinds, toLowerCase(word));
    else if (test(/^([A-Z][a-z0-9]*)+$/, word)) push(classes, word);
    else push(others, word);
  }
  const object = indexOf(kinds, 'object');
  if (classes.length > 0 && object !== -1) {
    splice(kinds, object, 1);
    push(classes, 'Object');
  }
  const choices = [];
  if (kinds.length > 0) {
    push(choices, `${kinds.length > 1 ? 'one of type' : 'of type'} ${listed(kinds)}`);
  }
  if (classes.length > 0) push(choices, `an instance of ${listed(classes)}`);
  if (others.length > 1) push(choices, `one of ${listed(others)}`);
  else if (others.length === 1) {
    push(choices, toLowerCase(others[0]) === others[0] ? others[0] : `an ${others[0]}`);
  }
  return join(choices, ' or ');
}

function grouped(digits) {
  return require('internal/inspect-text').groupDigits(digits);
}

function rangeReceived(value) {
  if (typeof value === 'bigint') {
    const isLong = value > 2n ** 32n || value < -(2n ** 32n);
    return `${isLong ? grouped(`${value}`) : value}n`;
  }
  if (Number.isInteger(value) && Math.abs(value) > 2 ** 32) return grouped(`${value}`);
  return inspect(value);
}

// The stack with the code in its first line, whether the engine wrote that line or not.
function putHead(error, base, head) {
  const { stack } = error;
  if (typeof stack !== 'string') return;
  const plain = error.message === '' ? base : `${base}: ${error.message}`;
  const own = startsWith(stack, plain) ? slice(stack, plain.length) : stack;
  const frames = replace(own, /^\n|\n$/g, '');
  define(error, 'stack', frames === '' ? head : `${head}\n${frames}`);
}

function define(target, key, value) {
  Object.defineProperty(target, key, {
    value, writable: true, enumerable: false, configurable: true,
  });
}

// Makes `codes[code]`, a constructor of `Base`; `message` is a text or builds one.
function defineCode(code, message, Base) {
  function CodedError(...args) {
    const text = typeof message === 'function' ? Reflect.apply(message, undefined, args) : message;
    const error = new Base(text);
    if (Error.captureStackTrace) Error.captureStackTrace(error, CodedError);
    putHead(error, error.name, `${error.name} [${code}]: ${error.message}`);
    define(error, 'toString', function toString() {
      return `${this.name} [${code}]: ${this.message}`;
    });
    error.code = code;
    return error;
  }
  Object.defineProperty(CodedError, 'name', { value: code });
  codes[code] = CodedError;
}

defineCode('ERR_AMBIGUOUS_ARGUMENT', (name, reason) =>
  `The "${name}" argument is ambiguous. ${reason}`, TypeError);
defineCode('ERR_FALSY_VALUE_REJECTION', () => 'Promise was rejected with falsy value', Error);
defineCode('ERR_FS_INVALID_SYMLINK_TYPE', (type) =>
  `Symlink type must be one of "dir", "file", or "junction". Received "${type}"`, Error);
defineCode('ERR_ILLEGAL_CONSTRUCTOR', 'Illegal constructor', TypeError);
defineCode('ERR_INVALID_ARG_TYPE', (name, expected, actual) =>
  `The ${subjectText(name)} must be ${wantedText(concat([], expected))}. ` +
  `Received ${receivedText(actual)}`, TypeError);
defineCode('ERR_INVALID_ARG_VALUE', (name, value, reason = 'is invalid') => {
  const text = inspect(value);
  const shown = text.length > INSPECTED ? `${slice(text, 0, INSPECTED)}...` : text;
  const type = includes(name, '.') ? 'property' : 'argument';
  return `The ${type} '${name}' ${reason}. Received ${shown}`;
}, TypeError);
defineCode('ERR_INVALID_RETURN_VALUE', (wanted, name, value) =>
  `Expected ${wanted} to be returned from the "${name}" function but got ` +
  `${receivedText(value)}.`, TypeError);
defineCode('ERR_INVALID_THIS', (type) => `Value of "this" must be of type ${type}`, TypeError);
defineCode('ERR_MISSING_ARGS', (...names) => {
  const quoted = map(names, (name) => join(map(concat([], name), (one) => `"${one}"`), ' or '));
  return `The ${listed(quoted, 'and')} argument${names.length > 1 ? 's' : ''} must be specified`;
}, TypeError);
defineCode('ERR_OUT_OF_RANGE', (name, range, value) =>
  `The value of "${name}" is out of range. It must be ${range}. ` +
  `Received ${rangeReceived(value)}`, RangeError);
defineCode('ERR_SERVER_ALREADY_LISTEN',
  'Listen method has been called more than once without closing.', Error);
defineCode('ERR_SERVER_NOT_RUNNING', 'Server is not running.', Error);
defineCode('ERR_SOCKET_BAD_PORT', (name, port) =>
  `${name} should be >= 0 and < 65536. Received ${receivedText(port)}.`, RangeError);
defineCode('ERR_STREAM_DESTROYED', (name) =>
  `Cannot call ${name} after a stream was destroyed`, Error);
defineCode('ERR_STREAM_NULL_VALUES', 'May not write null values to stream', TypeError);
defineCode('ERR_STREAM_WRITE_AFTER_END', 'write after end', Error);
defineCode('ERR_UNHANDLED_ERROR', (error) =>
  (error === undefined ? 'Unhandled error.' : `Unhandled error. (${error})`), Error);
defineCode('ERR_UNKNOWN_ENCODING', (encoding) => `Unknown encoding: ${encoding}`, TypeError);

defineCode('ERR_ARG_NOT_ITERABLE', (name) => `${name} must be iterable`, TypeError);
defineCode('ERR_BUFFER_OUT_OF_BOUNDS', (name) => (name ?
  `"${name}" is outside of buffer bounds` :
  'Attempt to access memory outside buffer bounds'), RangeError);
defineCode('ERR_ENCODING_INVALID_ENCODED_DATA', (encoding) =>
  `The encoded data was not valid for encoding ${encoding}`, TypeError);
defineCode('ERR_ENCODING_NOT_SUPPORTED', (name) =>
  `The "${name}" encoding is not supported`, RangeError);
defineCode('ERR_EVENT_RECURSION', (type) =>
  `The event "${type}" is already being dispatched`, Error);
defineCode('ERR_INVALID_BUFFER_SIZE', (size) =>
  `Buffer size must be a multiple of ${size}`, RangeError);
defineCode('ERR_INVALID_FILE_URL_HOST', (platform) =>
  `File URL host must be "localhost" or empty on ${platform}`, TypeError);
defineCode('ERR_INVALID_FILE_URL_PATH', (reason) => `File URL path ${reason}`, TypeError);
defineCode('ERR_INVALID_TUPLE', (what, form) =>
  `${what} must be an iterable ${form} tuple`, TypeError);
defineCode('ERR_INVALID_URL_SCHEME', (scheme) =>
  `The URL must be of scheme ${scheme}`, TypeError);

// Its first line does not show the code.
codes.ERR_INVALID_URL = function ERR_INVALID_URL(input, base) {
  const error = new TypeError('Invalid URL');
  if (Error.captureStackTrace) Error.captureStackTrace(error, ERR_INVALID_URL);
  putHead(error, error.name, `${error.name}: ${error.message}`);
  return Object.assign(error, { code: 'ERR_INVALID_URL', input }, base !== undefined && { base });
};

// A folder, where a file was to be removed.
codes.ERR_FS_EISDIR = function ERR_FS_EISDIR(path) {
  const info = { code: 'EISDIR', message: 'is a directory', path, syscall: 'rm', errno: 21 };
  const error = new Error(`Path is a directory: rm returned EISDIR (is a directory) ${path}`);
  if (Error.captureStackTrace) Error.captureStackTrace(error, ERR_FS_EISDIR);
  putHead(error, 'Error', `SystemError [ERR_FS_EISDIR]: ${error.message}`);
  error.code = 'ERR_FS_EISDIR';
  define(error, 'name', 'SystemError');
  return Object.assign(error, { info, errno: info.errno, syscall: info.syscall, path });
};

// Something was called off.
class AbortError extends Error {
  constructor(message = 'The operation was aborted', options = undefined) {
    super(message, options);
    this.code = 'ABORT_ERR';
    this.name = 'AbortError';
  }
}

// An error of the operating system from { errno, code, syscall, message, path, dest }: `errno` is
// negative, `message` the system's words for it. Absent parts are left out.
function systemError({ errno, code, syscall, message, path, dest }) {
  let text = `${code}: ${message}, ${syscall}`;
  if (path !== undefined) text += ` '${path}'`;
  if (dest !== undefined) text += ` -> '${dest}'`;
  const error = new Error(text);
  if (Error.captureStackTrace) Error.captureStackTrace(error, systemError);
  putHead(error, 'Error', `Error: ${text}`);
  for (const { 0: key, 1: value } of each(Object.entries({ errno, code, syscall, path, dest }))) {
    if (value !== undefined) error[key] = value;
  }
  return error;
}

module.exports = { AbortError, codes, putHead, systemError };
