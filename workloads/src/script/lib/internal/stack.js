// Stacks as V8 writes them: the engine's own have no first line with the error's name, call what
// has no name `<anonymous>`, and show frames of native code.
//
// internal.callBegins(file, line, column, name) -> [line, column] or undefined,
// internal.isWalked(), internal.walkAsWritten(stack) -> stack with the columns of the source as it
// is in its file.
'use strict';

const descriptor = Object.getOwnPropertyDescriptor(Error.prototype, 'stack');

const errorText = Error.prototype.toString;

function header(error) {
  try {
    return Reflect.apply(errorText, error, []);
  } catch {
    return 'Error';
  }
}

function frame(line) {
  const match = /^    at (?:<anonymous>|<eval>) \((.*)\)$/.exec(line);
  return match === null ? line : `    at ${match[1]}`;
}

function isForPeople(line) {
  return line !== '' && !line.endsWith(' (native)') && !line.includes('(node:internal/') &&
    !line.includes('at node:internal/');
}

function frames(text) {
  return text.split('\n').map(frame).filter(isForPeople);
}

// The engine takes a call to stand at its last argument. Each line stands where the call of what
// the line before it names begins; the first where the error is made, of this class.
const KNOWN_MAX = 1000;
const mended = new Map();

function mend(text, made) {
  const lines = text.split('\n');
  let callee = made;
  return lines.map((line) => {
    const key = `${callee} ${line}`;
    let known = mended.get(key);
    if (known === undefined) {
      if (mended.size === KNOWN_MAX) mended.clear();
      known = callee === undefined || line.includes('(node:') ? line : beginning(line, callee);
      mended.set(key, known);
    }
    callee = CALLEE.exec(line)?.[1];
    return known;
  }).join('\n');
}

const CALLEE = /at (?:[^ ]*\.)?(\w+) \(/;

function beginning(line, callee) {
  const place = PLACE.exec(line);
  if (place === null) return line;
  const [, before, file, at, column, after] = place;
  const begin = internal.callBegins(file.replace(/^\/\//, ''), +at, +column, callee);
  return begin === undefined ? line : `${before}${file}:${begin.join(':')}${after}`;
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
    return [header(error), ...frames(mend(asWritten(raw), classOf(error)))].join('\n');
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
  const lines = text.split('\n');
  const own = lines.findIndex((line) => line !== '' && !line.includes('node:'));
  const name = CALLEE.exec(lines[own - 1] ?? '')?.[1];
  if (name === undefined || own < 0) return text;
  lines[own] = beginning(lines[own], name);
  return lines.join('\n');
}

module.exports = { asWritten, called, current, frames };
