// Stacks as V8 writes them: the engine's own have no first line with the error's name, call what
// has no name `<anonymous>`, and show frames of native code.
//
// internal.callBegins(file, line, column, name) -> [line, column] or undefined,
// internal.isWalked(), internal.walkAsWritten(stack) -> stack with the columns of the source as it
// is in its file.
'use strict';

const {
  concat, endsWith, exec, filter, findIndex, includes, join, map, replace, split, textOfError,
} = require('internal/primordials');

const descriptor = Object.getOwnPropertyDescriptor(Error.prototype, 'stack');

function header(error) {
  try {
    return textOfError(error);
  } catch {
    return 'Error';
  }
}

function frame(line) {
  const match = exec(/^    at (?:<anonymous>|<eval>) \((.*)\)$/, line);
  return match === null ? line : `    at ${match[1]}`;
}

function isForPeople(line) {
  return line !== '' && !endsWith(line, ' (native)') && !includes(line, '(node:internal/') &&
    !includes(line, 'at node:internal/');
}

function frames(text) {
  return filter(map(split(text, '\n'), frame), isForPeople);
}

// The engine takes a call to stand at its last argument. Each line stands where the call of what
// the line before it names begins; the first where the error is made, of this class.
const KNOWN_MAX = 1000;
const mended = new Map();

function mend(text, made) {
  const lines = split(text, '\n');
  let callee = made;
  return join(map(lines, (line) => {
    const key = `${callee} ${line}`;
    let known = mended.get(key);
    if (known === undefined) {
      if (mended.size === KNOWN_MAX) mended.clear();
      known = callee === undefined || includes(line, '(node:') ? line : beginning(line, callee);
      mended.set(key, known);
    }
    callee = exec(CALLEE, line)?.[1];
    return known;
  }), '\n');
}

const CALLEE = /at (?:[^ ]*\.)?(\w+) \(/;

function beginning(line, callee) {
  const place = exec(PLACE, line);
  if (place === null) return line;
  const { 1: before, 2: file, 3: at, 4: column, 5: after } = place;
  const begin = internal.callBegins(replace(file, /^\/\//, ''), +at, +column, callee);
  return begin === undefined ? line : `${before}${file}:${join(begin, ':')}${after}`;
}

// The name of an error's class, its code not being run.
function classOf(error) {
  const made = Object.getPrototypeOf(error)?.constructor;
  const name = typeof made === 'function' && Object.getOwnPropertyDescriptor(made, 'name')?.value;
  return typeof name === 'string' ? name : undefined;
}

const isWalked = internal.isWalked();
const asWritten = (text) => (isWalked ? internal.walkAsWritten(text) : text);

// A program may have changed what this is made of; then the frames are the engine's.
function written(error, raw) {
  try {
    return join(concat([header(error)], frames(mend(asWritten(raw), classOf(error)))), '\n');
  } catch {
    return header(error) + '\n' + raw;
  }
}

const headers = new WeakMap();

if (descriptor !== undefined && descriptor.get !== undefined) {
  Object.defineProperty(Error.prototype, 'stack', {
    configurable: true,
    enumerable: false,
    get() {
      const raw = Reflect.apply(descriptor.get, this, []);
      if (typeof raw !== 'string') return raw;
      const known = headers.get(this);
      if (known !== undefined && known.raw === raw) return known.stack;
      const stack = written(this, raw);
      headers.set(this, { raw, stack });
      return stack;
    },
    set(value) {
      Object.defineProperty(this, 'stack', {
        configurable: true, enumerable: false, writable: true, value,
      });
    },
  });
}

// The frames of the code that runs now, for samples: innermost first, one a line, as the engine
// writes them.
function current() {
  const raw = Reflect.apply(descriptor.get, new Error(), []);
  return typeof raw === 'string' ? raw : '';
}

const PLACE = /^(.*?)(\/[^()]*):(\d+):(\d+)(\)?)$/;

// As `current`, where a function of the library was called: the innermost frame of the program
// stands where that call begins, and not where the engine takes it to be.
function called(text = current()) {
  const lines = split(text, '\n');
  const own = findIndex(lines, (line) => line !== '' && !includes(line, 'node:'));
  const name = exec(CALLEE, lines[own - 1] ?? '')?.[1];
  if (name === undefined || own < 0) return text;
  lines[own] = beginning(lines[own], name);
  return join(lines, '\n');
}

module.exports = { asWritten, called, current, frames };
