// Promises that are rejected without a handler. The engine tells of each, and of each that gets a
// handler later; what is left when ticks and jobs are done is told to the program.
//
// internal.rejectionsWait().
'use strict';

const { uncaught } = require('internal/fatal');
const { push, shift } = require('internal/primordials');

let pending = new Map();
const told = new WeakSet();
const handledLate = [];

const ignored = new WeakSet();

// Of a promise of the library's own.
function ignore(promise) {
  ignored.add(promise);
  pending.delete(promise);
}

// `handled`: it has got a handler after it was rejected.
function note(promise, reason, handled) {
  if (ignored.has(promise)) return;
  if (!handled) {
    pending.set(promise, reason);
    internal.rejectionsWait();
  } else if (!pending.delete(promise) && told.delete(promise)) {
    push(handledLate, promise);
    internal.rejectionsWait();
  }
}

function isErrorLike(reason) {
  return typeof reason === 'object' && reason !== null && 'stack' in reason;
}

function asError(reason) {
  if (isErrorLike(reason)) return reason;
  const { inspect } = require('internal/inspect');
  const shown = typeof reason === 'object' ? inspect(reason) : String(reason);
  const error = new Error('This error originated either by throwing inside of an async function ' +
    'without a catch block, or by rejecting a promise which was not handled with .catch(). ' +
    `The promise rejected with the reason "${shown}".`);
  error.name = 'UnhandledPromiseRejection';
  Object.defineProperty(error, 'stack', { value: String(error), configurable: true });
  error.code = 'ERR_UNHANDLED_REJECTION';
  return error;
}

// Tells the program of what is pending. Returns whether that has failed.
function tell() {
  const process = require('internal/process');
  try {
    while (handledLate.length > 0) {
      process.emit('rejectionHandled', shift(handledLate));
    }
    const now = pending;
    pending = new Map();
    now.forEach((_, promise) => told.add(promise));
    now.forEach((reason, promise) => {
      if (!process.emit('unhandledRejection', reason, promise)) uncaught(asError(reason), true);
    });
  } catch (error) {
    uncaught(error);
    return true;
  }
  return false;
}

module.exports = { ignore, note, tell };
