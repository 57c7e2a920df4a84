// The module `timers/promises`.
'use strict';

const { Immediate, Timeout, clearImmediate, clearTimeout } = require('internal/timers');
const { lastly, then } = require('internal/primordials');
const { checkAbortSignal, checkBoolean, checkOptions } = require('internal/checks');

function check(options) {
  checkOptions(options, 'options');
  const { signal, ref = true } = options;
  checkAbortSignal(signal, 'options.signal');
  checkBoolean(ref, 'options.ref');
  return { signal, ref };
}

function aborted(signal) {
  const { AbortError } = require('internal/errors');
  return new AbortError(undefined, { cause: signal.reason });
}

// As `promise.finally(last)`, by as many jobs as it takes in Node, whose own way of it follows the
// promise into another and out again.
function behind(promise, last) {
  return new Promise((resolve, reject) => {
    const followed = new Promise((onward, fail) => {
      then(promise, onward, fail);
    });
    then(lastly(followed, last), resolve, reject);
  });
}

// A promise that is settled by something that can be cancelled.
function wait(signal, ref, begin, cancel) {
  if (signal?.aborted) return Promise.reject(aborted(signal));
  let onAbort;
  const promise = new Promise((resolve, reject) => {
    const started = begin(resolve);
    if (!ref) started.unref();
    if (signal) {
      onAbort = () => {
        cancel(started);
        reject(aborted(signal));
      };
      signal.addEventListener('abort', onAbort, { once: true });
    }
  });
  if (onAbort === undefined) return promise;
  return behind(promise, () => signal.removeEventListener('abort', onAbort));
}

function attempt(options, then) {
  let checked;
  try {
    checked = check(options);
  } catch (error) {
    return Promise.reject(error);
  }
  return then(checked);
}

function setTimeout(ms, value, options = {}) {
  return attempt(options, ({ signal, ref }) => wait(signal, ref,
    (resolve) => new Timeout(() => resolve(value), ms, undefined, false), clearTimeout));
}

function setImmediate(value, options = {}) {
  return attempt(options, ({ signal, ref }) => wait(signal, ref,
    (resolve) => new Immediate(() => resolve(value), undefined), clearImmediate));
}

async function* setInterval(ms, value, options = {}) {
  const { signal, ref } = check(options);
  if (signal?.aborted) throw aborted(signal);
  let due = 0;
  let wake;
  let onAbort;
  const timer = new Timeout(() => {
    due++;
    if (wake) {
      wake();
      wake = undefined;
    }
  }, ms, undefined, true);
  if (!ref) timer.unref();
  if (signal) {
    onAbort = () => {
      clearTimeout(timer);
      if (wake) {
        wake(Promise.reject(aborted(signal)));
        wake = undefined;
      }
    };
    signal.addEventListener('abort', onAbort, { once: true });
  }
  try {
    while (!signal?.aborted) {
      if (due === 0) {
        await new Promise((resolve) => {
          wake = resolve;
        });
      }
      for (; due > 0; due--) yield value;
    }
    throw aborted(signal);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', onAbort);
  }
}

module.exports = {
  setTimeout, setImmediate, setInterval,
  scheduler: {
    wait: (ms, options) => setTimeout(ms, undefined, options),
    yield: () => setImmediate(),
  },
};
