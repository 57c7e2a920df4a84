'use strict';
// How an error prints: its stack, named after its class, without the frames its cause repeats.
//
// Cost: linear in the stack's text; with a cause, frames times the cause's frames.
// From `internal`: nothing.

const types = require('internal/types');
const { prefixOf } = require('internal/inspect-names');
const {
  each, endsWith, exec, includes, indexOf, join, push, repeat, replaceAll, slice, splice, split,
  startsWith, textOfError,
} = require('internal/primordials');

const FRAME = '\n    at';
const REPEATED_MIN = 4; // shorter runs of equal frames are printed

function stackText(error) {
  return error.stack ? String(error.stack) : textOfError(error);
}

// A property that the stack already shows is not printed a second time.
function dropShown(keys, error, stack) {
  for (const key of each(['name', 'message', 'stack'])) {
    const at = indexOf(keys, key);
    if (at !== -1 && includes(stack, error[key])) splice(keys, at, 1);
  }
}

function nameWithoutPrototype(stack) {
  const found = exec(/^([A-Z][a-z_ A-Z0-9[\]()-]+)(?::|\n {4}at)/, stack) ||
    exec(/^([a-z_A-Z0-9-]*Error)$/, stack);
  return found === null ? '' : found[1];
}

function startsWithName(stack, name) {
  if (!endsWith(name, 'Error') || !startsWith(stack, name)) return false;
  const next = stack[name.length];
  return next === undefined || next === ':' || next === '\n';
}

// Names the class where the stack's first line has only the inherited name.
function withClassName(stack, constructor, name, tag) {
  if (constructor !== null && !startsWithName(stack, name)) return stack;
  let shown = name.length;
  let fallback = 'Error';
  if (constructor === null) {
    const found = nameWithoutPrototype(stack);
    shown = found.length;
    fallback = found || 'Error';
  }
  const wanted = slice(prefixOf(constructor, tag, fallback), 0, -1);
  if (name === wanted) return stack;
  if (!includes(wanted, name)) return `${wanted} [${name}]${slice(stack, shown)}`;
  return shown === 0 ? `${wanted}: ${stack}` : wanted + slice(stack, shown);
}

// The first run of at least four lines of `frames` that stands in `others` too.
function repeatedRun(frames, others) {
  for (let i = 0; i <= frames.length - REPEATED_MIN; i++) {
    const at = indexOf(others, frames[i]);
    if (at === -1) continue;
    let length = 1;
    const max = Math.min(frames.length - i, others.length - at);
    while (length < max && frames[i + length] === others[at + length]) length++;
    if (length >= REPEATED_MIN) return { from: i, length };
  }
  return undefined;
}

function causeOf(error) {
  try {
    return error.cause;
  } catch {
    return undefined;
  }
}

function framesOf(ctx, error, text) {
  const frames = split(text, '\n');
  const cause = causeOf(error);
  if (!types.isError(cause)) return frames;
  const causeStack = stackText(cause);
  const start = indexOf(causeStack, FRAME);
  if (start === -1) return frames;
  const run = repeatedRun(frames, split(slice(causeStack, start + 1), '\n'));
  if (run === undefined) return frames;
  const hidden = run.length - 2;
  const note = `    ... ${hidden} lines matching cause stack trace ...`;
  splice(frames, run.from + 1, hidden, ctx.stylize(note, 'undefined'));
  return frames;
}

function listAlso(keys, key) {
  if (!includes(keys, key)) push(keys, key);
}

// The error's text; `keys` loses what the text shows, and gains `cause` and `errors`.
function errorText(ctx, error, constructor, tag, keys) {
  const name = error.name === undefined || error.name === null ? 'Error' : String(error.name);
  let stack = stackText(error);
  if (!ctx.showHidden) dropShown(keys, error, stack);
  if ('cause' in error) listAlso(keys, 'cause');
  if (Array.isArray(error.errors)) listAlso(keys, 'errors');
  stack = withClassName(stack, constructor, name, tag);
  // A message may hold a line that looks like a frame.
  const messageAt = error.message ? indexOf(stack, error.message) : -1;
  const from = messageAt > 0 ? messageAt + error.message.length : -1;
  const start = indexOf(stack, FRAME, from);
  if (start === -1) {
    stack = `[${stack}]`;
  } else {
    const frames = framesOf(ctx, error, slice(stack, start + 1));
    stack = `${slice(stack, 0, start)}\n${join(frames, '\n')}`;
  }
  return ctx.indent === 0 ? stack : replaceAll(stack, '\n', `\n${repeat(' ', ctx.indent)}`);
}

module.exports = { errorText };
