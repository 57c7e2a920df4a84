'use strict';
// Work on files that takes several calls of the system, written once for the functions that block
// and for those that use the pool: a generator yields `[call, ...arguments]` and gets what the call
// returns, or what it throws. A list of generators is work that may be done at the same time.
//
// internal.queueFile(request, call, ...arguments): by a thread of the pool; each takes a turn of
// the loop. internal[call](...arguments): at once.

const { once } = require('internal/requests');
const { nextTick } = require('internal/task_queues');
const { concat, each, forEach, slice } = require('internal/primordials');

const { apply } = Reflect;

function later(call, callback) {
  if (call[0] === 'tick') nextTick(callback, null);
  else if (typeof call[0] !== 'string') laterAll(call, callback);
  else apply(internal.queueFile, internal, concat([once(callback)], call));
}

function laterAll(works, callback) {
  let left = works.length;
  for (const work of each(works)) {
    run(work, (error) => {
      if (left === 0) return;
      left = error ? 0 : left - 1;
      if (left === 0) callback(error);
    });
  }
}

// Runs work by the pool. The callback gets the error, or null and what there is to get.
function run(work, callback) {
  if (Array.isArray(work)) {
    later(work, (error, value) => finish(callback, error, value));
    return;
  }
  const step = (error, value) => {
    let next;
    try {
      next = error ? work.throw(error) : work.next(value);
    } catch (failure) {
      callback(failure);
      return;
    }
    if (next.done) finish(callback, null, next.value);
    else later(next.value, step);
  };
  step(null);
}

function finish(callback, error, value) {
  if (error) callback(error);
  else if (value === undefined) callback(null);
  else callback(null, value);
}

function now(call) {
  if (call[0] === 'tick') return undefined;
  if (typeof call[0] === 'string') return apply(internal[call[0]], internal, slice(call, 1));
  forEach(call, runSync);
  return undefined;
}

// Does the same on the loop's thread. Returns what there is to get.
function runSync(work) {
  if (Array.isArray(work)) return now(work);
  let next = work.next();
  while (!next.done) {
    let value;
    let failed = false;
    try {
      value = now(next.value);
    } catch (error) {
      failed = true;
      value = error;
    }
    next = failed ? work.throw(value) : work.next(value);
  }
  return next.value;
}

// A promise of one call, or of work. It is settled in the poll phase.
function promised(work) {
  return new Promise((resolve, reject) => {
    run(work, (error, value) => (error ? reject(error) : resolve(value)));
  });
}

module.exports = { promised, run, runSync };
