'use strict';
// Node's `assert`.
//
// The diff of two values is that of Node 20, never coloured (see `internal/assertion-diff`).
// Cost: comparisons as in `internal/compare`; messages are made only when one fails.
// From `internal`: what `internal/assert-source` uses.

const { inspect } = require('internal/inspect');
const { checkFunction } = require('internal/checks');
const { codes } = require('internal/errors');
const { isDeepEqual, isDeepStrictEqual } = require('internal/compare');
const { AssertionError } = require('internal/assertion-error');
const { expectedException, hasMatchingError } = require('internal/assert-throws');
const { callText } = require('internal/assert-source');
const types = require('internal/types');
const {
  concat, exec, find, includes, indexOf, join, slice, split,
} = require('internal/primordials');

const NOTHING = Symbol('nothing was thrown');
const VALIDATORS = ['Object', 'Error', 'Function', 'RegExp'];

function fail(fields) {
  if (fields.message instanceof Error) throw fields.message;
  throw new AssertionError(fields);
}

function needTwo(args) {
  if (args.length < 2) throw new codes.ERR_MISSING_ARGS('actual', 'expected');
}

function checkTruth(stackStartFn, args) {
  const { 0: value, 1: message } = args;
  if (value) return;
  const fields = { actual: value, expected: true, message, operator: '==', stackStartFn };
  const isGenerated = args.length === 0 || message === undefined || message === null;
  if (args.length === 0) {
    fields.message = 'No value argument passed to `assert.ok()`';
  } else if (isGenerated) {
    const call = callText(stackStartFn);
    if (call !== undefined) {
      fields.message = `The expression evaluated to a falsy value:\n\n  ${call}\n`;
    }
  } else if (message instanceof Error) {
    throw message;
  }
  const error = new AssertionError(fields);
  error.generatedMessage = isGenerated;
  throw error;
}

function ok(...args) {
  checkTruth(ok, args);
}

// Makes the comparison `name`; `operator` is what the error says, the name unless it is given.
function comparison(name, holds, operator = name) {
  const method = {
    [name](...args) {
      needTwo(args);
      const { 0: actual, 1: expected, 2: message } = args;
      if (holds(actual, expected)) return;
      fail({ actual, expected, message, operator, stackStartFn: method });
    },
  }[name];
  return method;
}

const isLoose = (a, b) => a == b || (a !== a && b !== b);
const equal = comparison('equal', isLoose, '==');
const notEqual = comparison('notEqual', (a, b) => !isLoose(a, b), '!=');
const strictEqual = comparison('strictEqual', Object.is);
const notStrictEqual = comparison('notStrictEqual', (a, b) => !Object.is(a, b));
const deepEqual = comparison('deepEqual', isDeepEqual);
const notDeepEqual = comparison('notDeepEqual', (a, b) => !isDeepEqual(a, b));
const deepStrictEqual = comparison('deepStrictEqual', isDeepStrictEqual);
const notDeepStrictEqual = comparison('notDeepStrictEqual', (a, b) => !isDeepStrictEqual(a, b));

function failNow(message) {
  if (message instanceof Error) throw message;
  const error = new AssertionError({
    message: message ?? 'Failed', operator: 'fail', stackStartFn: failNow,
  });
  error.generatedMessage = message === undefined || message === null;
  throw error;
}
Object.defineProperty(failNow, 'name', { value: 'fail' });

function caughtFrom(fn) {
  checkFunction(fn, 'fn');
  try {
    fn();
  } catch (error) {
    return error;
  }
  return NOTHING;
}

function isThenable(value) {
  return types.isPromise(value) || (value !== null && typeof value === 'object' &&
    typeof value.then === 'function' && typeof value.catch === 'function');
}

async function rejectionFrom(source) {
  let promise = source;
  if (typeof source === 'function') {
    promise = source();
    if (!isThenable(promise)) {
      throw new codes.ERR_INVALID_RETURN_VALUE('instance of Promise', 'promiseFn', promise);
    }
  } else if (!isThenable(source)) {
    throw new codes.ERR_INVALID_ARG_TYPE('promiseFn', ['Function', 'Promise'], source);
  }
  try {
    await promise;
  } catch (error) {
    return error;
  }
  return NOTHING;
}

// A lone text after the function is the message, not the validator.
function splitArgs(actual, args) {
  const { 0: wanted, 1: message } = args;
  if (typeof wanted !== 'string') {
    if (wanted !== undefined && wanted !== null && typeof wanted !== 'object' &&
        typeof wanted !== 'function') {
      throw new codes.ERR_INVALID_ARG_TYPE('error', VALIDATORS, wanted);
    }
    return { wanted, message };
  }
  if (args.length > 1) throw new codes.ERR_INVALID_ARG_TYPE('error', VALIDATORS, wanted);
  const isError = actual !== null && typeof actual === 'object';
  if (isError ? actual.message === wanted : actual === wanted) {
    const what = isError ? `error message "${actual.message}"` : `error "${actual}"`;
    throw new codes.ERR_AMBIGUOUS_ARGUMENT(
      'error/message', `The ${what} is identical to the message.`);
  }
  return { wanted: undefined, message: wanted };
}

function expectError(stackStartFn, actual, args) {
  const { wanted, message } = splitArgs(actual, args);
  const operator = stackStartFn.name;
  if (actual === NOTHING) {
    const name = wanted && wanted.name ? ` (${wanted.name})` : '';
    const end = message ? `: ${message}` : '.';
    const what = operator === 'rejects' ? 'rejection' : 'exception';
    fail({
      actual: undefined, expected: wanted, operator, stackStartFn,
      message: `Missing expected ${what}${name}${end}`,
    });
  }
  if (wanted) expectedException(actual, wanted, message, stackStartFn);
}

function expectNoError(stackStartFn, actual, args) {
  if (actual === NOTHING) return;
  const isText = typeof args[0] === 'string';
  const wanted = isText ? undefined : args[0];
  const message = isText ? args[0] : args[1];
  if (wanted && !hasMatchingError(actual, wanted)) throw actual;
  const operator = stackStartFn.name;
  const what = operator === 'doesNotReject' ? 'rejection' : 'exception';
  fail({
    actual, expected: wanted, operator, stackStartFn,
    message: `Got unwanted ${what}${message ? `: ${message}` : '.'}\n` +
      `Actual message: "${actual && actual.message}"`,
  });
}

function throws(fn, ...args) {
  expectError(throws, caughtFrom(fn), args);
}

async function rejects(source, ...args) {
  expectError(rejects, await rejectionFrom(source), args);
}

function doesNotThrow(fn, ...args) {
  expectNoError(doesNotThrow, caughtFrom(fn), args);
}

async function doesNotReject(source, ...args) {
  expectNoError(doesNotReject, await rejectionFrom(source), args);
}

function checkMatch(stackStartFn, shouldMatch, { 0: string, 1: regexp, 2: message }) {
  if (!types.isRegExp(regexp)) {
    throw new codes.ERR_INVALID_ARG_TYPE('regexp', 'RegExp', regexp);
  }
  const isText = typeof string === 'string';
  if (isText && (exec(regexp, string) !== null) === shouldMatch) return;
  if (message instanceof Error) throw message;
  const input = inspect(string);
  const generated = isText ?
    `The input ${shouldMatch ? 'did not' : 'was expected to not'} match the regular expression ` +
    `${inspect(regexp)}. Input:\n\n${input}\n` :
    'The "string" argument must be of type string. Received type ' +
    `${typeof string} (${input})`;
  const error = new AssertionError({
    actual: string, expected: regexp, message: message || generated, stackStartFn,
    operator: stackStartFn.name,
  });
  error.generatedMessage = !message;
  throw error;
}

function match(...args) {
  checkMatch(match, true, args);
}

function doesNotMatch(...args) {
  checkMatch(doesNotMatch, false, args);
}

function ifError(value) {
  if (value === null || value === undefined) return;
  let reason = inspect(value);
  if (typeof value === 'object' && typeof value.message === 'string') {
    reason = value.message === '' && value.constructor ? value.constructor.name : value.message;
  }
  const error = new AssertionError({
    actual: value, expected: null, operator: 'ifError', stackStartFn: ifError,
    message: `ifError got unwanted exception: ${reason}`,
  });
  const from = typeof value.stack === 'string' ? indexOf(value.stack, '\n    at') : -1;
  if (from !== -1) joinStacks(error, split(slice(value.stack, from + 1), '\n'));
  throw error;
}

// The frames of the given error follow those that it does not share.
function joinStacks(error, frames) {
  const own = split(`${error.stack}`, '\n');
  const shared = find(frames, (frame) => includes(own, frame));
  const kept = shared === undefined ? own : slice(own, 0, indexOf(own, shared));
  Object.defineProperty(error, 'stack', {
    value: join(concat(kept, frames), '\n'), writable: true, configurable: true,
  });
}

module.exports = Object.assign(ok, {
  fail: failNow, AssertionError, ok, equal, notEqual, deepEqual, notDeepEqual, deepStrictEqual,
  notDeepStrictEqual, strictEqual, notStrictEqual, throws, rejects, doesNotThrow, doesNotReject,
  ifError, match, doesNotMatch,
});

function strict(...args) {
  checkTruth(strict, args);
}
ok.strict = Object.assign(strict, ok, {
  equal: strictEqual, deepEqual: deepStrictEqual, notEqual: notStrictEqual,
  notDeepEqual: notDeepStrictEqual,
});
strict.strict = strict;
