// What happens to an error that nobody has caught: handlers get it, or the program ends with
// status 1, or 7 where a handler throws itself. Want of memory no handler gets.
//
// internal.halt(status), internal.endIfMemoryIsFull(), internal.writeStderr(string),
// internal.sourceText(file) -> string or undefined.
'use strict';

const noop = () => {};
const tagOf = Object.prototype.toString;

// Tells the handlers of an error. Ends the program where there are none.
function uncaught(error, fromPromise) {
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
  report(error, fromPromise);
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

function place(error) {
  const stack = typeof error.stack === 'string' ? error.stack : '';
  const match = /(?:\(|at )((?:file:\/\/)?\/[^()\n]*?):(\d+):(\d+)\)?$/m.exec(stack);
  return match === null ? undefined : { file: match[1], line: +match[2], column: +match[3] };
}

// The line at fault with a mark below, as Node shows it first.
function excerpt(error) {
  const at = place(error);
  if (at === undefined) return '';
  const file = at.file.startsWith('file://') ? decodeURIComponent(at.file.slice(7)) : at.file;
  const source = internal.sourceText(file);
  const line = source === undefined ? undefined : source.split('\n')[at.line - 1];
  if (line === undefined) return '';
  // What is made where it is thrown is marked at the `throw`.
  const before = line.slice(0, Math.max(at.column - 1, 0)).replace(/\bthrow\s+$/, '');
  const mark = before.replace(/[^\t]/g, ' ');
  return `${at.file}:${at.line}\n${line}\n${mark}^\n\n`;
}

function isError(value) {
  return value instanceof Error || Reflect.apply(tagOf, value, []) === '[object Error]';
}

// An error of the library's own has no frames to show. Node's are in Node's own code, so that its
// stack is shown without the brackets that errors without frames have.
function unbracketed(error, text) {
  const { stack } = error;
  const bare = typeof stack === 'string' && text.startsWith(`[${stack}]`);
  return bare ? `${stack}${text.slice(stack.length + 2)}` : text;
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

function report(error, fromPromise) {
  const { inspect } = require('internal/inspect');
  const version = require('internal/process').version;
  let text;
  try {
    if (isError(error)) {
      text = `${excerpt(error)}${unbracketed(error, inspect(error))}\n`;
    } else {
      text = `Uncaught${fromPromise ? ' (in promise)' : ''}:\n${inspect(error)}\n`;
    }
  } catch {
    text = plain(error);
  }
  internal.writeStderr(`${text}\nNode.js ${version} (loopscope)\n`);
}

module.exports = { uncaught };
