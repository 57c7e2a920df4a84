'use strict';
// Whether what was thrown is what `assert.throws` and `assert.rejects` were told to expect.
//
// Cost: that of one match, or of one comparison for each key.
// From `internal`: nothing.

const { inspect } = require('internal/inspect');
const { codes } = require('internal/errors');
const { isDeepStrictEqual } = require('internal/compare');
const { AssertionError } = require('internal/assertion-error');
const types = require('internal/types');
const { each, exec, isPrototypeOf, push, some } = require('internal/primordials');

function throwUnmatched(actual, expected, message, generated, stackStartFn) {
  const error = new AssertionError({
    actual, expected, message: message || generated, operator: stackStartFn.name, stackStartFn,
  });
  error.generatedMessage = !message;
  throw error;
}

function isErrorClass(value) {
  return isPrototypeOf(Error, value);
}

function isOf(actual, expected) {
  return expected.prototype !== undefined && actual instanceof expected;
}

function wrongClassText(actual, expected) {
  const wanted = `The error is expected to be an instance of "${expected.name}". Received `;
  if (!types.isError(actual)) return `${wanted}"${inspect(actual, { depth: -1 })}"`;
  const name = (actual.constructor && actual.constructor.name) || actual.name;
  const got = name === expected.name ?
    'an error with identical name but a different prototype.' : `"${name}"`;
  return wanted + got + (actual.message ? `\n\nError message:\n\n${actual.message}` : '');
}

function wrongResultText(actual, expected, result) {
  const name = expected.name ? `"${expected.name}" ` : '';
  const caught = types.isError(actual) ? `\n\nCaught error:\n\n${actual}` : '';
  return `The ${name}validation function is expected to return "true". ` +
    `Received ${inspect(result)}${caught}`;
}

// The compared keys alone, under the name that Node shows.
class Comparison {
  constructor(source, keys, other) {
    for (const key of each(keys)) {
      if (!(key in source)) continue;
      const isMatched = other !== undefined && matches(other[key], source[key]);
      this[key] = isMatched ? other[key] : source[key];
    }
  }
}

function matches(text, pattern) {
  return typeof text === 'string' && types.isRegExp(pattern) && exec(pattern, text) !== null;
}

function expectLike(actual, expected, message, stackStartFn) {
  if (typeof actual !== 'object' || actual === null) {
    const error = new AssertionError({
      actual, expected, message, operator: 'deepStrictEqual', stackStartFn,
    });
    error.operator = stackStartFn.name;
    throw error;
  }
  const keys = Object.keys(expected);
  if (expected instanceof Error) push(keys, 'name', 'message');
  else if (keys.length === 0) {
    throw new codes.ERR_INVALID_ARG_VALUE('error', expected, 'may not be an empty object');
  }
  const differs = (key) => !matches(actual[key], expected[key]) &&
    (!(key in actual) || !isDeepStrictEqual(actual[key], expected[key]));
  if (!some(keys, differs)) return;
  if (message) {
    if (message instanceof Error) throw message;
    throwUnmatched(actual, expected, message, '', stackStartFn);
  }
  const error = new AssertionError({
    actual: new Comparison(actual, keys), expected: new Comparison(expected, keys, actual),
    operator: 'deepStrictEqual', stackStartFn,
  });
  error.actual = actual;
  error.expected = expected;
  error.operator = stackStartFn.name;
  throw error;
}

// Throws where `actual` is not what the pattern, class, function or object `expected` wants.
function expectedException(actual, expected, message, stackStartFn) {
  const refuse = (text) => throwUnmatched(actual, expected, message, text, stackStartFn);
  if (typeof expected === 'function') {
    if (isOf(actual, expected)) return;
    if (isErrorClass(expected)) refuse(wrongClassText(actual, expected));
    const result = Reflect.apply(expected, {}, [actual]);
    if (result !== true) refuse(wrongResultText(actual, expected, result));
  } else if (types.isRegExp(expected)) {
    const text = String(actual);
    if (exec(expected, text) !== null) return;
    refuse('The input did not match the regular expression ' +
      `${inspect(expected)}. Input:\n\n${inspect(text)}\n`);
  } else {
    expectLike(actual, expected, message, stackStartFn);
  }
}

function hasMatchingError(actual, expected) {
  if (types.isRegExp(expected)) return exec(expected, String(actual)) !== null;
  if (typeof expected !== 'function') {
    throw new codes.ERR_INVALID_ARG_TYPE('expected', ['Function', 'RegExp'], expected);
  }
  if (isOf(actual, expected)) return true;
  return !isErrorClass(expected) && Reflect.apply(expected, {}, [actual]) === true;
}

module.exports = { expectedException, hasMatchingError };
