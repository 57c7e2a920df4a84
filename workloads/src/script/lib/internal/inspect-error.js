'use strict';
// How an error prints: its stack, named after its class, without the frames its cause repeats.
//
// Cost: linear in the stack's text; with a cause, frames times the cause's frames.
// From `internal`: nothing.

const types = require('internal/types');
const { prefixOf } = require('internal/inspect-names');

const FRAME = '\n    at';
const REPEATED_MIN = 4; // shorter runs of equal frames are printed

function stackText(error) {
  return error.stack ? String(error.stack) : Error.prototype.toString.call(error);
}

// A property that the stack already shows is not printed a second time.
function dropShown(keys, error, stack) {
  for (const key of ['name', 'message', 'stack']) {
    const at = keys.indexOf(key);
    if (at !== -1 && stack.includes(error[key])) keys.splice(at, 1);
  }
}

function nameWithoutPrototype(stack) {
  const found = /^([A-Z][a-z_ A-Z0-9[\]()-]+)(?::|\n {4}at)/.exec(stack) ||
    /^([a-z_A-Z0-9-]*Error)$/.exec(stack);
  return found === null ? '' : found[1];
}

function startsWithName(stack, name) {
  if (!name.endsWith('Error') || !stack.startsWith(name)) return false;
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
  const wanted = prefixOf(constructor, tag, fallback).slice(0, -1);
  if (name === wanted) return stack;
  if (!wanted.includes(name)) return `${wanted} [${name}]${stack.slice(shown)}`;
  return shown === 0 ? `${wanted}: ${stack}` : wanted + stack.slice(shown);
}

// The first run of at least four lines of `frames` that stands in `others` too.
function repeatedRun(frames, others) {
  for (let i = 0; i <= frames.length - REPEATED_MIN; i++) {
    const at = others.indexOf(frames[i]);
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
  const frames = text.split('\n');
  const cause = causeOf(error);
  if (!types.isError(cause)) return frames;
  const causeStack = stackText(cause);
  const start = causeStack.indexOf(FRAME);
  if (start === -1) return frames;
  const run = repeatedRun(frames, causeStack.slice(start + 1).split('\n'));
  if (run === undefined) return frames;
  const hidden = run.length - 2;
  const note = `    ... ${hidden} lines matching cause stack trace ...`;
  frames.splice(run.from + 1, hidden, ctx.stylize(note, 'undefined'));
  return frames;
}

function listAlso(keys, key) {
  if (!keys.includes(key)) keys.push(key);
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
  const messageAt = error.message ? stack.indexOf(error.message) : -1;
  const from = messageAt > 0 ? messageAt + error.message.length : -1;
  const start = stack.indexOf(FRAME, from);
  if (start === -1) {
    stack = `[${stack}]`;
  } else {
    const frames = framesOf(ctx, error, stack.slice(start + 1));
    stack = `${stack.slice(0, start)}\n${frames.join('\n')}`;
  }
  return ctx.indent === 0 ? stack : stack.replaceAll('\n', `\n${' '.repeat(ctx.indent)}`);
}

module.exports = { errorText };
