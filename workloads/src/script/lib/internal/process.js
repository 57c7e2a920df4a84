// The object `process`.
//
// internal.argv(), environment(), cwd(), pid(), platform(), arch(), memoryUsed(),
// now() and hrtime() -> nanoseconds, isTerminal(fd), writeStdout(string), writeStderr(string),
// halt(status).
'use strict';

const EventEmitter = require('events');
const { nextTick } = require('internal/task_queues');
const { checkInteger } = require('internal/checks');
const { concat, fromEntries } = require('internal/primordials');

// What scripts may count on: the version whose order of events this is.
const VERSION = '20.20.2';

const process = Object.create(Object.create(EventEmitter.prototype, {
  constructor: { configurable: true, writable: true, value: function process() {} },
}));
Reflect.apply(EventEmitter, process, []);
module.exports = process;

Object.defineProperty(process, Symbol.toStringTag, { configurable: true, value: 'process' });
Object.defineProperty(process, '_exiting', { writable: true, value: false });

Object.assign(process, {
  version: `v${VERSION}`,
  versions: { node: VERSION, loopscope: internal.version(), quickjs: 'ng' },
  release: { name: 'node', lts: 'Iron' },
  title: 'loopscope',
  platform: internal.platform(),
  arch: internal.arch(),
  pid: internal.pid(),
  ppid: 0,
  argv: internal.argv(),
  argv0: 'node',
  execArgv: [],
  execPath: internal.argv()[0],
  env: fromEntries(internal.environment()),
  features: {},
  config: {},
  nextTick,
});

// Text that reads as a number serves, too.
let exitCode;
Object.defineProperty(process, 'exitCode', {
  configurable: false,
  enumerable: true,
  get: () => exitCode,
  set(code) {
    if (code !== undefined && code !== null) {
      const isText = typeof code === 'string' && code !== '' && !Number.isNaN(Number(code));
      checkInteger(isText ? Number(code) : code, 'code');
    }
    exitCode = code;
  },
});

process.cwd = () => internal.cwd();
process.uptime = () => internal.now() / 1e9;
process.umask = () => 0o022;
process.getuid = () => internal.userId();
process.geteuid = process.getuid;
process.getgid = () => internal.userId();
process.getegid = process.getgid;

process.hrtime = function hrtime(since) {
  const ns = internal.hrtime();
  let seconds = Math.floor(ns / 1e9);
  let rest = ns % 1e9;
  if (since !== undefined) {
    seconds -= since[0];
    rest -= since[1];
    if (rest < 0) {
      seconds--;
      rest += 1e9;
    }
  }
  return [seconds, rest];
};
process.hrtime.bigint = () => BigInt(internal.hrtime());

process.memoryUsage = function memoryUsage() {
  const rss = internal.memoryUsed();
  const heap = internal.heapUsed();
  return { rss, heapTotal: heap, heapUsed: heap, external: 0, arrayBuffers: 0 };
};
process.memoryUsage.rss = () => internal.memoryUsed();

process.cpuUsage = function cpuUsage(since) {
  const { 0: user, 1: system } = internal.cpuTime();
  if (since === undefined) return { user, system };
  return { user: user - since.user, system: system - since.system };
};

function status(code) {
  return Math.trunc(Number(code ?? 0)) || 0;
}

process.exit = function exit(...given) {
  if (given.length > 0) process.exitCode = given[0];
  if (!process._exiting) {
    process._exiting = true;
    process.emit('exit', process.exitCode || 0);
  }
  process.reallyExit(process.exitCode || 0);
};
process.reallyExit = (code) => internal.halt(status(code));
process.abort = () => internal.halt(134);

process.emitWarning = function emitWarning(warning, type, code) {
  let name = typeof type === 'object' && type !== null ? type.type : type;
  if (typeof type === 'object' && type !== null) code = type.code;
  if (!(warning instanceof Error)) {
    warning = new Error(String(warning));
    name ??= 'Warning';
    warning.name = name;
    if (code !== undefined) warning.code = code;
  }
  nextTick(() => process.emit('warning', warning));
};

process.on('warning', (warning) => {
  const code = warning.code === undefined ? '' : `[${warning.code}] `;
  internal.writeStderr(`(node:${process.pid}) ${code}${warning.name}: ${warning.message}\n`);
});

process.binding = () => {
  throw new Error('process.binding is left out: there is no Node below');
};

function stream(fd, write) {
  const out = new EventEmitter();
  Object.assign(out, { fd, writable: true, isTTY: internal.isTerminal(fd) || undefined });
  if (out.isTTY) out.columns = 80;
  out.write = (chunk, encoding, callback) => {
    const done = typeof encoding === 'function' ? encoding : callback;
    try {
      write(typeof chunk === 'string' ? chunk : new Uint8Array(chunk));
    } catch (error) {
      if (error.syscall !== 'write') throw error;
      nextTick(fail, done, error);
      return false;
    }
    if (done !== undefined) nextTick(done);
    return true;
  };
  // Who has read it may be gone: the callback is told, and then the listeners.
  function fail(done, error) {
    nextTick(() => out.emit('error', error));
    if (done !== undefined) done(error);
  }
  out.end = (chunk, ...rest) => {
    if (chunk !== undefined && typeof chunk !== 'function') {
      Reflect.apply(out.write, out, concat([chunk], rest));
    }
    return out;
  };
  out.cork = () => {};
  out.uncork = () => {};
  return out;
}

process.stdout = stream(1, internal.writeStdout);
process.stderr = stream(2, internal.writeStderr);
