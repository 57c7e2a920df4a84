// Tells the host what is scheduled and by which line, and what each task is: loaded first, and only
// where a timeline is recorded. It changes neither how many jobs there are nor their order.
//
// internal.traceMade(what, id, name, file, line, asked, stack) -> whether it has no place,
// internal.traceDropped(), internal.traceRuns(id, name, file, line),
// internal.traceOutput(fd, text, stack), internal.traceUncaught(text, stack),
// internal.isWalked() -> whether calls are recorded, internal.walkBegins(stack, 1 for the
// top level of a file) -> whether it has no place, internal.walkDropped(); internal.write and
// internal.queueFile, which it stands before.
'use strict';

const { concat, each } = require('internal/primordials');
const { apply, getOwnPropertyDescriptor } = Reflect;
const { asWritten, called, current } = require('internal/stack');

const isWalked = internal.isWalked();
const FRAMES_MAX = 64;
const limit = getOwnPropertyDescriptor(Error, 'stackTraceLimit');
const prepare = getOwnPropertyDescriptor(Error, 'prepareStackTrace');
const fileName = getOwnPropertyDescriptor(Function.prototype, 'fileName');
const lineNumber = getOwnPropertyDescriptor(Function.prototype, 'lineNumber');

let last = 0;

// The stack as it is, whatever the program wants its own stacks to look like.
function taken() {
  const { 0: given, 1: own } = [apply(limit.get, Error, []), apply(prepare.get, Error, [])];
  apply(limit.set, Error, [FRAMES_MAX]);
  apply(prepare.set, Error, [undefined]);
  const text = current();
  apply(limit.set, Error, [given]);
  apply(prepare.set, Error, [own]);
  return text;
}

// The same stacks come again and again: what was made of them is kept.
const KNOWN_MAX = 1000;

function remembering(make) {
  const known = new Map();
  return (text) => {
    let made = known.get(text);
    if (made !== undefined) return made;
    if (known.size === KNOWN_MAX) known.clear();
    made = make(text);
    known.set(text, made);
    return made;
  };
}

const whole = remembering(asWritten);
const mended = remembering((text) => called(asWritten(text)));
const stack = () => mended(taken());

if (isWalked) {
  let noPlace = false;
  Object.defineProperty(globalThis, '_loopscope', {
    value: (top) => {
      if (noPlace) internal.walkDropped();
      else noPlace = internal.walkBegins(whole(taken()), top);
    },
  });
}

// Name, file and line of a function, none of its own code being run.
function describe(callback) {
  if (typeof callback !== 'function' || internal.proxyTarget(callback) !== undefined) return [];
  const name = getOwnPropertyDescriptor(callback, 'name')?.value;
  const file = apply(fileName.get, callback, []);
  const line = apply(lineNumber.get, callback, []);
  return [typeof name === 'string' ? name : '', file ?? '', line ?? 0];
}

// Whether there is no place for more of what is asked for.
let full = false;

function made(what, id, callback, asked) {
  if (full) {
    internal.traceDropped();
    return;
  }
  const { 0: name = '', 1: file = '', 2: line = 0 } = describe(callback);
  full = internal.traceMade(what, id, name, file, line, asked, stack());
}

// A function that says that it runs, and is otherwise as the one given.
function telling(id, callback) {
  return (...args) => {
    Reflect.apply(internal.traceRuns, internal, concat([id], describe(callback)));
    return Reflect.apply(callback, undefined, args);
  };
}

const fatal = require('internal/fatal');
const { uncaught } = fatal;
fatal.uncaught = (error, fromPromise, trace) => {
  let text = 'an error that cannot be shown';
  try {
    text = String(error);
  } catch {
    // The error is the program's, and what it does when it is shown.
  }
  internal.traceUncaught(text, typeof error?.stack === 'string' ? error.stack : '');
  return uncaught(error, fromPromise, trace);
};

const tasks = require('internal/task_queues');
const { nextTick, queueMicrotask } = tasks;
tasks.nextTick = {
  nextTick(callback, ...args) {
    if (typeof callback !== 'function' || require('internal/process')._exiting) {
      return Reflect.apply(nextTick, undefined, concat([callback], args));
    }
    const id = ++last;
    made('tick', id, callback);
    return Reflect.apply(nextTick, undefined, concat([telling(id, callback)], args));
  },
}.nextTick;
tasks.queueMicrotask = {
  queueMicrotask(callback) {
    if (typeof callback !== 'function') return queueMicrotask(callback);
    const id = ++last;
    made('microtask', id, callback);
    return queueMicrotask(telling(id, callback));
  },
}.queueMicrotask;

const { then } = Promise.prototype;

// What a promise does where it has no handler: it passes on what it has.
const passOn = (value) => value;
const passOnError = (error) => {
  throw error;
};

function handler(id, callback, otherwise) {
  return telling(id, typeof callback === 'function' ? callback : otherwise);
}

Object.defineProperty(Promise.prototype, 'then', {
  configurable: true,
  enumerable: false,
  writable: true,
  value: {
    then(onFulfilled, onRejected) {
      const id = ++last;
      made('reaction', id, typeof onFulfilled === 'function' ? onFulfilled : onRejected);
      const handlers = [
        handler(id, onFulfilled, passOn), handler(id, onRejected, passOnError),
      ];
      return apply(then, this, handlers);
    },
  }.then,
});

const timers = require('internal/timers');
timers.watch((_, timer, asked) => {
  const isImmediate = timer instanceof timers.Immediate;
  const what = isImmediate ? 'immediate' : timer._repeat === null ? 'timeout' : 'interval';
  made(what, timers.slotOf(timer), timer._onTimeout ?? timer._onImmediate, asked);
});

const requests = require('internal/requests');
for (const kind of each(['once', 'always'])) {
  const register = requests[kind];
  requests[kind] = (callback) => {
    const id = register(callback);
    made('request', id, callback);
    return id;
  };
}

for (const { 0: fd, 1: name } of each([[1, 'writeStdout'], [2, 'writeStderr']])) {
  internal[name] = (chunk) => internal.traceOutput(fd, chunk, stack());
}

// What is written to them by number is printed, too.
const { open, queueFile, write } = internal;
const isOutput = (fd) => fd === 1 || fd === 2;
const O_WRONLY = 1;
let nowhere;
internal.write = (fd, bytes, position) => {
  if (!isOutput(fd)) return write(fd, bytes, position);
  internal.traceOutput(fd, bytes, stack());
  return bytes.byteLength;
};
internal.queueFile = (request, call, fd, ...rest) => {
  if (call !== 'write' || !isOutput(fd)) {
    return Reflect.apply(queueFile, undefined, concat([request, call, fd], rest));
  }
  internal.traceOutput(fd, rest[0], stack());
  nowhere ??= open('/dev/null', O_WRONLY);
  return Reflect.apply(queueFile, undefined, concat([request, call, nowhere], rest));
};
