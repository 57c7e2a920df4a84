'use strict';
// Checks of arguments that the other files share. Each throws the error, with the code and the
// words, that Node's own function throws for the same value.
//
// Natives: none.

function codes() {
  return require('internal/errors').codes;
}

function checkFunction(value, name) {
  if (typeof value !== 'function') {
    throw new (codes().ERR_INVALID_ARG_TYPE)(name, 'Function', value);
  }
}

function checkString(value, name) {
  if (typeof value !== 'string') throw new (codes().ERR_INVALID_ARG_TYPE)(name, 'string', value);
}

function checkBoolean(value, name) {
  if (typeof value !== 'boolean') throw new (codes().ERR_INVALID_ARG_TYPE)(name, 'boolean', value);
}

function rangeText(min, max) {
  if (min !== undefined && max !== undefined) return `>= ${min} && <= ${max}`;
  return min !== undefined ? `>= ${min}` : `<= ${max}`;
}

function checkNumber(value, name, min, max) {
  if (typeof value !== 'number') throw new (codes().ERR_INVALID_ARG_TYPE)(name, 'number', value);
  const bounded = min !== undefined || max !== undefined;
  if (value < min || value > max || (bounded && Number.isNaN(value))) {
    throw new (codes().ERR_OUT_OF_RANGE)(name, rangeText(min, max), value);
  }
}

function checkInteger(value, name, min = Number.MIN_SAFE_INTEGER, max = Number.MAX_SAFE_INTEGER) {
  if (typeof value !== 'number') throw new (codes().ERR_INVALID_ARG_TYPE)(name, 'number', value);
  if (!Number.isInteger(value)) throw new (codes().ERR_OUT_OF_RANGE)(name, 'an integer', value);
  if (value < min || value > max) {
    throw new (codes().ERR_OUT_OF_RANGE)(name, rangeText(min, max), value);
  }
}

// An object that is no array and no function, or nothing at all.
function checkOptions(value, name) {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) {
    throw new (codes().ERR_INVALID_ARG_TYPE)(name, 'Object', value);
  }
}

function checkAbortSignal(signal, name) {
  if (signal === undefined) return;
  if (signal === null || typeof signal !== 'object' || !('aborted' in signal)) {
    throw new (codes().ERR_INVALID_ARG_TYPE)(name, 'AbortSignal', signal);
  }
}

module.exports = {
  checkAbortSignal, checkBoolean, checkFunction, checkInteger, checkNumber, checkOptions,
  checkString,
};
