// The first file of the library: loads the others as they are needed, makes the globals, and
// returns the functions that the host calls.
//
// internal.librarySource(name) -> string or undefined; internal.libraryNames() -> names;
// internal.isTraced() -> whether a timeline is recorded;
// internal.compile(body, file, parameters) -> function.
'use strict';

const loaded = new Map();

function load(name) {
  const known = loaded.get(name);
  if (known !== undefined) return known.exports;
  const source = internal.librarySource(name);
  if (source === undefined) throw new Error(`no library file ${name}`);
  const module = { exports: {} };
  loaded.set(name, module);
  const parameters = 'exports, require, module, internal';
  const body = internal.compile(source, `node:${name}`, parameters);
  body(module.exports, load, module, internal);
  return module.exports;
}

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
  uncaught(error) {
    uncaught(error);
    return false;
  },
  invoke: lifecycle.invoke,
  pending: lifecycle.pending,
  rejection: rejections.note,
  stack: samples.current,
  resolveModule: (specifier, base, type) => esm().resolve(specifier, base, type),
  moduleSource: (url) => esm().source(url),
  importMeta: (meta, url) => esm().fillMeta(meta, url),
};
