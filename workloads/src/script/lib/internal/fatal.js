// What happens to an error that nobody has caught: handlers get it, or the program ends with
// status 1, or 7 where a handler throws itself. Want of memory no handler gets.
// A template makes its text by `String.prototype.concat`, in this engine: where that is gone, the
// error is shown all the same.
//
// internal.halt(status), internal.endIfMemoryIsFull(), internal.writeStderr(string),
// internal.sourceText(file) -> string or undefined.
'use strict';

const { exec, replace, slice, split, startsWith, tagOf, test } = require('internal/primordials');

const noop = () => {};

// Tells the handlers of an error. Ends the program where there are none. `trace` says where it was
// thrown, as far as the engine knows.
function uncaught(error, fromPromise, trace) {
  internal.endIfMemoryIsFull();
  const process = require('internal/process');
  const origin = fromPromise ? 'unhandledRejection' : 'uncaughtException';
  let handled;
  try {
    process.emit('uncaughtExceptionMonitor', error, origin);
    handled = process.emit('uncaughtException', error, origin);
  } catch (second) {
    report(second);
    process.exitCode = 7;
    internal.halt(leave(process, 7));
  }
  if (handled) {
    // The next check phase is not empty, so that ticks which wait are run.
    require('timers').setImmediate(noop);
    return;
  }
  const status = leave(process, 1);
  report(error, fromPromise, trace);
  internal.halt(status);
}

// Emits `exit` as for an error, and returns the status.
function leave(process, status) {
  try {
    if (!process._exiting) {
      process._exiting = true;
      process.exitCode = status;
      process.emit('exit', status);
    }
  } catch {
    // The program ends anyway, and by the first error.
  }
  return typeof process.exitCode === 'number' ? process.exitCode : status;
}

function place(stack) {
  const match = exec(/(?:\(|at )((?:file:\/\/)?\/[^()\n]*?):(\d+):(\d+)\)?$/m, stack);
  return match === null ? undefined : { file: match[1], line: +match[2], column: +match[3] };
}

// The line at fault with a mark below, as Node shows it first.
function excerpt(error) {
  const at = place(typeof error.stack === 'string' ? error.stack : '');
  if (at === undefined) return '';
  const { line, mark } = marked(at);
  return line === undefined ? '' : begun(at, line, mark) + '\n\n';
}

// The same for what is no error, where the engine knows: it takes what `finally` lets pass, or what
// is thrown after an error was made, to come from elsewhere.
function thrownAt(trace) {
  const at = typeof trace === 'string' ? place(split(trace, '\n')[0]) : undefined;
  if (at === undefined) return '';
  const { line, mark, source } = marked(at);
  if (line === undefined || test(/\bfinally\s*\{/, source)) return '';
  if (!startsWith(slice(line, mark.length - 1), 'throw')) return '';
  return '\n' + begun(at, line, mark) + '\n';
}

function shown(value, inspect) {
  return typeof value === 'object' || typeof value === 'function' ? inspect(value) : String(value);
}

function begun(at, line, mark) {
  return at.file + ':' + at.line + '\n' + line + '\n' + mark;
}

function marked(at) {
  const file = startsWith(at.file, 'file://') ? decodeURIComponent(slice(at.file, 7)) : at.file;
  const source = internal.sourceText(file);
  const line = source === undefined ? undefined : split(source, '\n')[at.line - 1];
  if (line === undefined) return {};
  // What is made where it is thrown is marked at the `throw`.
  const before = replace(slice(line, 0, Math.max(at.column - 1, 0)), /\bthrow\s+$/, '');
  return { source, line, mark: replace(before, /[^\t]/g, ' ') + '^' };
}

function isError(value) {
  return value instanceof Error || tagOf(value) === '[object Error]';
}

// An error of the library's own has no frames to show. Node's are in Node's own code, so that its
// stack is shown without the brackets that errors without frames have.
function unbracketed(error, text) {
  const { stack } = error;
  const bare = typeof stack === 'string' && startsWith(text, `[${stack}]`);
  return bare ? `${stack}${slice(text, stack.length + 2)}` : text;
}

// What can be shown where a program has changed what `inspect` is made of.
function plain(error) {
  try {
    if (isError(error) && typeof error.stack === 'string') return error.stack + '\n';
  } catch {
    // The error is the program's, too.
  }
  return 'Uncaught: an error that cannot be shown\n';
}

function report(error, fromPromise, trace) {
  const version = require('internal/process').version;
  let text;
  try {
    const { inspect } = require('internal/inspect');
    if (isError(error)) {
      text = `${excerpt(error)}${unbracketed(error, inspect(error))}\n`;
    } else {
      const at = thrownAt(trace);
      const how = fromPromise ? 'Uncaught (in promise):\n' : 'Uncaught:\n';
      text = (at === '' ? how + inspect(error) : at + shown(error, inspect)) + '\n';
    }
  } catch {
    text = plain(error);
  }
  internal.writeStderr(text + '\nNode.js ' + version + ' (loopscope)\n');
}

module.exports = { uncaught };
