'use strict';
// `AssertionError`: what an assertion throws, with both values and the operator.
//
// Cost: prints both values; see `internal/assertion-diff`.
// From `internal`: nothing.

const { inspect } = require('internal/inspect');
const { codes, putHead } = require('internal/errors');
const { failureText } = require('internal/assertion-diff');
const { includes, join, slice, split } = require('internal/primordials');

const LINES_MAX = 10;
const HEADED = ['deepStrictEqual', 'strictEqual'];

function shorten(value) {
  if (typeof value !== 'string') return value;
  const lines = split(value, '\n');
  return lines.length > LINES_MAX ? `${join(slice(lines, 0, LINES_MAX), '\n')}\n...` : value;
}

// An error prints its stack; for a diff its properties and its message tell more.
function withoutStack(error) {
  const copy = Object.assign(Object.create(Object.getPrototypeOf(error)), error);
  Object.defineProperty(copy, 'message', { value: error.message });
  return copy;
}

class AssertionError extends Error {
  constructor(options) {
    if (options === null || typeof options !== 'object') {
      throw new codes.ERR_INVALID_ARG_TYPE('options', 'Object', options);
    }
    const { message, operator, stackStartFn, stackStartFunction } = options;
    let { actual, expected } = options;
    const isGiven = message !== undefined && message !== null;
    if (!isGiven && actual instanceof Error && expected instanceof Error) {
      actual = withoutStack(actual);
      expected = withoutStack(expected);
    }
    super(isGiven && !includes(HEADED, operator) ?
      String(message) : failureText(actual, expected, operator, isGiven ? message : ''));
    this.generatedMessage = !message;
    const name = { value: 'AssertionError', configurable: true, writable: true };
    Object.defineProperty(this, 'name', { ...name, enumerable: false });
    this.code = 'ERR_ASSERTION';
    this.actual = actual;
    this.expected = expected;
    this.operator = operator;
    if (Error.captureStackTrace) {
      Error.captureStackTrace(this, stackStartFn || stackStartFunction || AssertionError);
    }
    putHead(this, this.name, `${this.name} [${this.code}]: ${this.message}`);
  }

  toString() {
    return `${this.name} [${this.code}]: ${this.message}`;
  }

  [inspect.custom](depth, options) {
    const { actual, expected } = this;
    this.actual = shorten(actual);
    this.expected = shorten(expected);
    try {
      return inspect(this, { ...options, customInspect: false, depth: 0 });
    } finally {
      this.actual = actual;
      this.expected = expected;
    }
  }
}

module.exports = { AssertionError };
