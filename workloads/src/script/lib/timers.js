// The module `timers`.
'use strict';

const { Immediate, Timeout, clearImmediate, clearTimeout } = require('internal/timers');
const { checkFunction } = require('internal/checks');
const { each } = require('internal/primordials');

function setTimeout(callback, ms, ...args) {
  if (typeof callback !== 'function') checkFunction(callback, 'callback');
  return new Timeout(callback, ms, args.length === 0 ? undefined : args, false);
}

function setInterval(callback, ms, ...args) {
  if (typeof callback !== 'function') checkFunction(callback, 'callback');
  return new Timeout(callback, ms, args.length === 0 ? undefined : args, true);
}

function setImmediate(callback, ...args) {
  if (typeof callback !== 'function') checkFunction(callback, 'callback');
  return new Immediate(callback, args.length === 0 ? undefined : args);
}

function clearInterval(timer) {
  clearTimeout(timer);
}

module.exports = {
  setTimeout, clearTimeout, setImmediate, clearImmediate, setInterval, clearInterval,
  get promises() {
    return require('timers/promises');
  },
};

const custom = Symbol.for('nodejs.util.promisify.custom');
for (const timer of each([setTimeout, setImmediate])) {
  Object.defineProperty(timer, custom, {
    enumerable: true,
    get() {
      return require('timers/promises')[timer.name];
    },
  });
}
