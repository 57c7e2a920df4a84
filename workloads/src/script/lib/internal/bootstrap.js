// The first file of the library: loads the others as they are needed, makes the globals, and
// returns the functions that the host calls.
//
// internal.librarySource(name) -> string or undefined; internal.libraryNames() -> names;
// internal.isTraced() -> whether a timeline is recorded;
// internal.compile(body, file, parameters) -> function.
'use strict';

// The library is to work whatever a program does to the globals and to what they hold. Each file
// gets those of now as parameters: collections are classes of the library's own, and functions
// stand in copies, but in the few files that hand them on or tell them apart.
const OWN = ['AggregateError', 'Array', 'ArrayBuffer', 'BigInt', 'Boolean', 'DataView', 'Error',
  'Function', 'JSON', 'Map', 'Math', 'Number', 'Object', 'Promise', 'Proxy', 'RangeError',
  'Reflect', 'RegExp', 'Set', 'String', 'Symbol', 'SyntaxError', 'TypeError', 'URIError',
  'Uint8Array', 'WeakMap', 'WeakRef', 'WeakSet', 'decodeURIComponent', 'encodeURIComponent'];
const PLAIN = ['internal/histogram', 'internal/inspect-value', 'internal/structured_clone',
  'internal/types'];

const { apply, getOwnPropertyDescriptor, ownKeys } = Reflect;
const { create, defineProperty, freeze, setPrototypeOf } = Object;

function copy(from, to) {
  for (const key of ownKeys(from)) {
    if (key === 'constructor') continue;
    defineProperty(to, key, { __proto__: null, ...getOwnPropertyDescriptor(from, key) });
  }
  return freeze(to);
}

// A collection with methods of its own.
function safe(Base) {
  class Safe extends Base {
    constructor(members) {
      super(members); // the engine's own constructor walks a list by its iterator
    }
  }
  copy(Base.prototype, setPrototypeOf(Safe.prototype, null));
  return freeze(Safe);
}

const safes = {
  __proto__: null,
  Map: safe(Map), Set: safe(Set), WeakMap: safe(WeakMap), WeakSet: safe(WeakSet),
  Math: copy(Math, create(null)), Object: copy(Object, create(null)),
  Reflect: copy(Reflect, create(null)),
};
const plain = OWN.map((name) => globalThis[name]);
const own = OWN.map((name) => safes[name] ?? globalThis[name]);
const parameters = `exports, require, module, internal, ${OWN.join(', ')}`;

const loaded = new safes.Map();
const isPlain = new safes.Set();
PLAIN.forEach((name) => isPlain.add(name));

function load(name) {
  const known = loaded.get(name);
  if (known !== undefined) return known.exports;
  const source = internal.librarySource(name);
  if (source === undefined) throw new Error(`no library file ${name}`);
  const module = { exports: {} };
  loaded.set(name, module);
  const body = internal.compile(source, `node:${name}`, parameters);
  const all = [module.exports, load, module, internal];
  const globals = isPlain.has(name) ? plain : own;
  for (let i = 0; i < globals.length; i++) all[i + 4] = globals[i];
  apply(body, undefined, all);
  return module.exports;
}

load('internal/primordials');
load('internal/types');
const samples = load('internal/samples');
load('internal/stack');
if (internal.isTraced()) load('internal/trace');
load('internal/globals');
const tasks = load('internal/task_queues');
const timers = load('internal/timers');
const { uncaught } = load('internal/fatal');
const { events } = load('internal/requests');
const rejections = load('internal/rejections');
const lifecycle = load('internal/lifecycle');

const ends = {
  __proto__: null,
  main: () => false, tick: tasks.endTick, timer: timers.endRan, immediate: timers.endRan,
};

// Few programs have modules of their own.
const esm = () => load('internal/esm');

return {
  main: lifecycle.main,
  timer: timers.runTimer,
  immediate: timers.runImmediate,
  tick: tasks.runTick,
  event: events,
  rejections: rejections.tell,
  beforeExit: lifecycle.beforeExit,
  exit: lifecycle.exit,
  // What an entry has thrown, from where, and which entry it was. Returns what that would have.
  uncaught(error, trace, entry) {
    if (entry === 'main') load('internal/cjs').forgetMain();
    uncaught(error, false, trace);
    return ends[entry]?.() ?? true;
  },
  invoke: lifecycle.invoke,
  pending: lifecycle.pending,
  rejection: rejections.note,
  stack: samples.current,
  resolveModule: (specifier, base) => esm().resolve(specifier, base),
  moduleSource: (url) => esm().source(url),
  importMeta: (meta, url) => esm().fillMeta(meta, url),
};
