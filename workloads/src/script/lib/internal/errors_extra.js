'use strict';
// The coded errors that buffers, events and URLs need besides those of `internal/errors`, and
// `AbortError`. Where `internal/errors` has one of them, its own is taken.
//
// Natives: none.

const errors = require('internal/errors');

const HOST = 'File URL host must be "localhost" or empty on';

// Each with its class and the words for its arguments.
const EXTRA = {
  ERR_ARG_NOT_ITERABLE: [TypeError, (name) => `${name} must be iterable`],
  ERR_BUFFER_OUT_OF_BOUNDS: [RangeError, (name) => {
    return name ? `"${name}" is outside of buffer bounds` :
      'Attempt to access memory outside buffer bounds';
  }],
  ERR_ENCODING_INVALID_ENCODED_DATA: [TypeError, (encoding) => {
    return `The encoded data was not valid for encoding ${encoding}`;
  }],
  ERR_ENCODING_NOT_SUPPORTED: [RangeError, (name) => `The "${name}" encoding is not supported`],
  ERR_EVENT_RECURSION: [Error, (type) => `The event "${type}" is already being dispatched`],
  ERR_INVALID_BUFFER_SIZE: [RangeError, (size) => `Buffer size must be a multiple of ${size}`],
  ERR_INVALID_FILE_URL_HOST: [TypeError, (platform) => `${HOST} ${platform}`],
  ERR_INVALID_FILE_URL_PATH: [TypeError, (reason) => `File URL path ${reason}`],
  ERR_INVALID_TUPLE: [TypeError, (what, form) => `${what} must be an iterable ${form} tuple`],
  ERR_INVALID_URL: [TypeError, () => 'Invalid URL'],
  ERR_INVALID_URL_SCHEME: [TypeError, (scheme) => `The URL must be of scheme ${scheme}`],
};

// What an error tells besides its words.
const DETAILS = {
  ERR_INVALID_URL: (input, base) => (base === undefined ? { input } : { input, base }),
};

function define(code, [Base, words]) {
  const Coded = function(...args) {
    const error = new Base(words(...args));
    Error.captureStackTrace?.(error, Coded);
    errors.putHead?.(error, error.name, `${error.name} [${code}]: ${error.message}`);
    const text = () => `${error.name} [${code}]: ${error.message}`;
    Object.defineProperty(error, 'toString', { value: text, writable: true, configurable: true });
    return Object.assign(error, { code }, DETAILS[code]?.(...args));
  };
  return Coded;
}

class AbortError extends Error {
  constructor(message = 'The operation was aborted', options = undefined) {
    super(message, options);
    this.code = 'ABORT_ERR';
    this.name = 'AbortError';
  }
}

const codes = {};
for (const [code, entry] of Object.entries(EXTRA)) codes[code] = define(code, entry);

module.exports = {
  codes: { ...codes, ...errors.codes },
  AbortError: errors.AbortError ?? AbortError,
};
