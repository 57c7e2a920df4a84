'use strict';
// `util.format`: placeholders filled in, the other arguments after them.
//
// Cost: a lone string is returned as it is; otherwise one pass over the first argument.
// From `internal`: `proxyTarget(value)`, as in `internal/types`.

const text = require('internal/inspect-text');
const { hasBuiltInText } = require('internal/inspect-names');
const { inspect, defaults } = require('internal/inspect-value');
const types = require('internal/types');
const { includes, indexOf, slice, split } = require('internal/primordials');

let circularMessage;

function firstLine(error) {
  return split(`${error.message}`, '\n', 1)[0];
}

function jsonText(value) {
  try {
    return JSON.stringify(value);
  } catch (error) {
    if (circularMessage === undefined) {
      const loop = {};
      loop.loop = loop;
      try {
        JSON.stringify(loop);
      } catch (known) {
        circularMessage = firstLine(known);
      }
    }
    if (error.name !== 'TypeError' || firstLine(error) !== circularMessage) throw error;
    return '[Circular]';
  }
}

function numericText(value, toNumber, options) {
  const separated = options?.numericSeparator ?? defaults.numericSeparator;
  if (typeof value === 'symbol') return 'NaN';
  if (typeof value === 'bigint' && toNumber !== Number.parseFloat) {
    return text.bigintText(value, separated);
  }
  return text.numberText(toNumber(value), separated);
}

function readable(value, options) {
  if (typeof value === 'number' || typeof value === 'bigint') {
    return numericText(value, Number, options);
  }
  if (typeof value !== 'object' || value === null) return String(value);
  const target = types.isProxy(value) ? internal.proxyTarget(value) : value;
  if (target !== null && !hasBuiltInText(target)) return String(value);
  return inspect(value, { ...options, depth: 0, colors: false, compact: 3 });
}

// The text for one placeholder; undefined where the letter is none.
function fill(letter, value, options) {
  switch (letter) {
    case 's':
      return readable(value, options);
    case 'd':
      return numericText(value, Number, options);
    case 'i':
      return numericText(value, Number.parseInt, options);
    case 'f':
      return numericText(value, Number.parseFloat, options);
    case 'j':
      return `${jsonText(value)}`;
    case 'O':
      return inspect(value, options);
    case 'o':
      return inspect(value, { ...options, showHidden: true, showProxy: true, depth: 4 });
    case 'c':
      return '';
    default:
      return undefined;
  }
}

// The first argument with its placeholders filled, and how many arguments went into it.
function fillAll(options, args) {
  const pattern = args[0];
  let out = '';
  let used = 1;
  let done = 0;
  for (let at = indexOf(pattern, '%'); at !== -1; at = indexOf(pattern, '%', at)) {
    const letter = pattern[at + 1];
    if (letter === undefined) break;
    let filled;
    if (letter === '%') filled = '%';
    else if (used < args.length) filled = fill(letter, args[used], options);
    at += 2;
    if (filled === undefined) continue;
    out += slice(pattern, done, at - 2) + filled;
    done = at;
    if (letter !== '%') used++;
  }
  return { out: out + slice(pattern, done), used };
}

function formatArgs(options, args) {
  const first = args[0];
  let out = '';
  let from = 0;
  if (typeof first === 'string') {
    if (args.length === 1) return first;
    out = first;
    from = 1;
    if (includes(first, '%')) ({ out, used: from } = fillAll(options, args));
  } else if (args.length > 0) {
    out = inspect(first, options);
    from = 1;
  }
  for (let i = from; i < args.length; i++) {
    const value = args[i];
    out += ` ${typeof value === 'string' ? value : inspect(value, options)}`;
  }
  return out;
}

function format(...args) {
  return formatArgs(undefined, args);
}

function formatWithOptions(options, ...args) {
  if (options === null || (typeof options !== 'object' && typeof options !== 'function')) {
    const { codes } = require('internal/errors');
    throw new codes.ERR_INVALID_ARG_TYPE('inspectOptions', 'object', options);
  }
  return formatArgs(options, args);
}

module.exports = { format, formatArgs, formatWithOptions };
