// Checks of arguments, which throw Node's errors.
'use strict';

function fail(name, expected, actual) {
  const { codes } = require('internal/errors');
  throw new codes.ERR_INVALID_ARG_TYPE(name, expected, actual);
}

function validateFunction(value, name) {
  if (typeof value !== 'function') fail(name, 'Function', value);
}

function validateString(value, name) {
  if (typeof value !== 'string') fail(name, 'string', value);
}

function validateObject(value, name) {
  if (value === null || typeof value !== 'object') fail(name, 'Object', value);
}

function validateBoolean(value, name) {
  if (typeof value !== 'boolean') fail(name, 'boolean', value);
}

function validateNumber(value, name, min, max) {
  if (typeof value !== 'number') fail(name, 'number', value);
  if ((min !== undefined && value < min) || (max !== undefined && value > max) ||
      ((min !== undefined || max !== undefined) && Number.isNaN(value))) {
    const { codes } = require('internal/errors');
    const low = min === undefined ? '' : `>= ${min}`;
    const high = max === undefined ? '' : `<= ${max}`;
    throw new codes.ERR_OUT_OF_RANGE(name, [low, high].filter(Boolean).join(' && '), value);
  }
}

function validateInteger(value, name) {
  if (typeof value !== 'number') fail(name, 'number', value);
  if (!Number.isInteger(value)) {
    const { codes } = require('internal/errors');
    throw new codes.ERR_OUT_OF_RANGE(name, 'an integer', value);
  }
}

function validateAbortSignal(signal, name) {
  if (signal !== undefined && (signal === null || typeof signal !== 'object' ||
      !('aborted' in signal))) {
    fail(name, 'AbortSignal', signal);
  }
}

module.exports = {
  validateAbortSignal, validateBoolean, validateFunction, validateInteger, validateNumber,
  validateObject, validateString,
};
