'use strict';
// `console`: what a script prints, written at once.
//
// Cost: a lone string without a group goes straight to the output; the rest is that of `format`.
// What formats is loaded when it is first needed.
// **Invariant:** the text has left when the call returns; nothing waits for the loop.
// **Invariant:** every method works without `this`.
// From `internal`: `writeStdout(text)`, `writeStderr(text)`: write all of it at once.
// From the module `process`, at the first use: `hrtime`, `emitWarning`.

const {
  concat, padStart, repeat, replaceAll, slice, split, toFixed,
} = require('internal/primordials');

const INDENT = 2;
const NANOS_PER_MS = 1e6;
const SECOND_MS = 1000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;

let indent = '';
const counts = new Map();
const starts = new Map();

// Who reads the output may have gone (`| head`), which is no failure of who writes.
function send(write, text) {
  try {
    write(text);
  } catch (error) {
    if (error.syscall !== 'write') throw error;
    const { nextTick } = require('internal/task_queues');
    nextTick(swallow, write === internal.writeStdout ? 'stdout' : 'stderr');
  }
}

// Nor is it then one of a write to the stream itself, if nobody listens.
function swallow(name) {
  const stream = require('internal/process')[name];
  if (stream.listenerCount('error') === 0) stream.once('error', noop);
}

const noop = () => {};

function formatArgs(args) {
  return require('internal/inspect').formatArgs(undefined, args);
}

function put(write, text) {
  const lines = indent === '' ? text : indent + replaceAll(text, '\n', `\n${indent}`);
  send(write, `${lines}\n`);
}

function log(...args) {
  if (indent === '' && args.length === 1 && typeof args[0] === 'string') {
    send(internal.writeStdout, `${args[0]}\n`);
  } else {
    put(internal.writeStdout, formatArgs(args));
  }
}

function warn(...args) {
  put(internal.writeStderr, formatArgs(args));
}

function trace(...args) {
  const error = { name: 'Trace', message: formatArgs(args) };
  Error.captureStackTrace(error, trace);
  const head = error.message === '' ? 'Trace' : `Trace: ${error.message}`;
  require('internal/errors').putHead(error, 'Trace', head);
  warn(error.stack);
}

function dir(value, options) {
  const { inspect } = require('internal/inspect');
  put(internal.writeStdout, inspect(value, { customInspect: false, ...options }));
}

function table(data, columns) {
  if (columns !== undefined && !Array.isArray(columns)) {
    const { codes } = require('internal/errors');
    throw new codes.ERR_INVALID_ARG_TYPE('properties', 'Array', columns);
  }
  if (data === null || typeof data !== 'object') log(data);
  else log(require('internal/console-table').tableText(data, columns));
}

function group(...labels) {
  if (labels.length > 0) Reflect.apply(log, undefined, labels);
  indent += repeat(' ', INDENT);
}

function groupEnd() {
  indent = slice(indent, INDENT);
}

function pad(number) {
  return padStart(`${number}`, 2, '0');
}

function durationText(ms) {
  if (ms < SECOND_MS) return `${Number(toFixed(ms, 3))}ms`;
  if (ms < MINUTE_MS) return `${toFixed(ms / SECOND_MS, 3)}s`;
  const hours = Math.floor(ms / HOUR_MS);
  const minutes = Math.floor((ms % HOUR_MS) / MINUTE_MS);
  const { 0: seconds, 1: rest } = split(toFixed((ms % MINUTE_MS) / SECOND_MS, 3), '.');
  if (hours === 0) return `${minutes}:${pad(seconds)}.${rest} (m:ss.mmm)`;
  return `${hours}:${pad(minutes)}:${pad(seconds)}.${rest} (h:mm:ss.mmm)`;
}

function time(label = 'default') {
  const name = `${label}`;
  if (starts.has(name)) {
    require('process').emitWarning(`Label '${name}' already exists for console.time()`);
  } else {
    starts.set(name, require('process').hrtime());
  }
}

function logTime(method, name, values) {
  const start = starts.get(name);
  if (start === undefined) {
    require('process').emitWarning(`No such label '${name}' for console.${method}()`);
  } else {
    const { 0: seconds, 1: nanos } = require('process').hrtime(start);
    const ms = seconds * SECOND_MS + nanos / NANOS_PER_MS;
    Reflect.apply(log, undefined, concat(['%s: %s', name, durationText(ms)], values));
  }
}

function timeEnd(label = 'default') {
  logTime('timeEnd', `${label}`, []);
  starts.delete(`${label}`);
}

function timeLog(label = 'default', ...values) {
  logTime('timeLog', `${label}`, values);
}

function count(label = 'default') {
  const name = `${label}`;
  const next = (counts.get(name) ?? 0) + 1;
  counts.set(name, next);
  log(`${name}: ${next}`);
}

function countReset(label = 'default') {
  if (!counts.delete(`${label}`)) {
    require('process').emitWarning(`Count for '${label}' does not exist`);
  }
}

function assert(condition, ...args) {
  if (condition) return;
  if (args.length === 0) warn('Assertion failed');
  else Reflect.apply(warn, undefined, concat([`Assertion failed: ${args[0]}`], slice(args, 1)));
}

module.exports = {
  log, warn, dir, time, timeEnd, timeLog, trace, assert, clear() {}, count, countReset, group,
  groupEnd, table, debug: log, info: log, dirxml: log, error: warn, groupCollapsed: group,
};
