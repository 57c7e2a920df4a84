// Which file a name stands for, and what kind of module a file is.
//
// internal.isFile(path), internal.isDirectory(path), internal.readSource(path) -> string or
// undefined, internal.realpath(path), internal.libraryNames() -> names.
'use strict';

const path = require('path');
const {
  concat, endsWith, filter, find, includes, indexOf, join, map, replaceAll, setOf, slice, some,
  sort, split, startsWith, test,
} = require('internal/primordials');

const builtins = setOf(filter(internal.libraryNames(), (name) => !startsWith(name, 'internal/')));

// What Node has and this has not.
const LEFT_OUT = setOf(['async_hooks', 'child_process', 'cluster', 'crypto', 'dgram',
  'diagnostics_channel', 'dns', 'dns/promises', 'domain', 'http', 'http2', 'https', 'inspector',
  'module', 'punycode', 'readline', 'readline/promises', 'repl', 'stream', 'stream/promises',
  'stream/web', 'sys', 'test', 'tls', 'trace_events', 'tty', 'util/types', 'v8', 'vm', 'wasi',
  'worker_threads', 'zlib']);

// The name of a builtin module that is there, undefined for what is no builtin.
function builtin(specifier) {
  const prefixed = startsWith(specifier, 'node:');
  const name = prefixed ? slice(specifier, 5) : specifier;
  if (builtins.has(name)) return name;
  if (LEFT_OUT.has(name)) {
    const error = new Error(`The module '${name}' is left out: loopscope runs what bears on ` +
      'scheduling, and is no second Node. Run the program with node, and observe it with ' +
      '`loopscope attach PID`.');
    error.code = 'ERR_LOOPSCOPE_LEFT_OUT';
    throw error;
  }
  if (prefixed) {
    const error = new Error(`No such built-in module: ${specifier}`);
    error.code = 'ERR_UNKNOWN_BUILTIN_MODULE';
    throw error;
  }
  return undefined;
}

function asFile(file) {
  if (internal.isFile(file)) return file;
  return find(map(['.js', '.json', '.node'], (end) => file + end), internal.isFile);
}

function manifest(folder) {
  const source = internal.readSource(path.join(folder, 'package.json'));
  if (source === undefined) return undefined;
  try {
    return JSON.parse(source);
  } catch {
    return undefined;
  }
}

function asFolder(folder) {
  if (!internal.isDirectory(folder)) return undefined;
  const main = manifest(folder)?.main;
  const named = typeof main === 'string' ? path.resolve(folder, main) : undefined;
  return (named && (asFile(named) ?? asFile(path.join(named, 'index')))) ??
    asFile(path.join(folder, 'index'));
}

// What `exports` of a package names for a way into it.
function exported(value, conditions) {
  if (typeof value === 'string') return value;
  if (Array.isArray(value)) return find(map(value, (one) => exported(one, conditions)), Boolean);
  if (value === null || typeof value !== 'object') return undefined;
  const known = filter(Object.keys(value), (key) => includes(conditions, key));
  return find(map(known, (key) => exported(value[key], conditions)), Boolean);
}

// The way with a `*` that fits best, and what stands for the `*`.
function patternFor(ways, inner) {
  const fits = (key) => {
    const { 0: before, 1: after } = split(key, '*');
    return after !== undefined && startsWith(inner, before) && endsWith(inner, after) &&
      inner.length >= key.length;
  };
  const best = sort(filter(Object.keys(ways), fits), (a, b) => {
    return indexOf(b, '*') - indexOf(a, '*') || b.length - a.length;
  })[0];
  if (best === undefined) return [];
  const { 0: before, 1: after } = split(best, '*');
  return [ways[best], slice(inner, before.length, inner.length - after.length)];
}

function inPackage(folder, inner, conditions) {
  const ways = manifest(folder)?.exports;
  if (ways === undefined || ways === null) return undefined;
  const isMap = typeof ways === 'object' && some(Object.keys(ways), (key) => startsWith(key, '.'));
  const whole = isMap ? ways : { '.': ways };
  const { 0: way, 1: part } = Object.hasOwn(whole, inner) ?
    [whole[inner]] : patternFor(whole, inner);
  const target = exported(way, conditions);
  if (target === undefined) {
    const by = `"exports" in ${path.join(folder, 'package.json')}`;
    throw missing(inner === '.' ? `No "exports" main defined in ${slice(by, 13)}` :
      `Package subpath '${inner}' is not defined by ${by}`, 'ERR_PACKAGE_PATH_NOT_EXPORTED');
  }
  const file = part === undefined ? target : replaceAll(target, '*', () => part);
  return asFile(path.join(folder, file));
}

function fromPackages(specifier, folder, conditions) {
  const depth = startsWith(specifier, '@') ? 2 : 1;
  const parts = split(specifier, '/');
  const name = join(slice(parts, 0, depth), '/');
  const inner = join(concat(['.'], slice(parts, depth)), '/');
  for (;;) {
    const found = path.join(folder, 'node_modules', name);
    if (internal.isDirectory(found)) {
      const file = inPackage(found, inner, conditions);
      if (file !== undefined) return file;
      const plain = path.join(found, inner);
      return asFile(plain) ?? asFolder(plain);
    }
    const parent = path.dirname(folder);
    if (parent === folder) return undefined;
    folder = parent;
  }
}

const isRelative = (specifier) => test(/^(\.\.?(\/|$)|\/)/, specifier);

// The file that `require` finds, or undefined.
function required(specifier, folder) {
  if (isRelative(specifier)) {
    const file = path.resolve(folder, specifier);
    return (endsWith(specifier, '/') ? undefined : asFile(file)) ?? asFolder(file);
  }
  return fromPackages(specifier, folder, ['node', 'require', 'default']);
}

function missing(text, code, more) {
  return Object.assign(new Error(text), { code }, more);
}

function mainFile(name) {
  if (internal.mainSource() !== undefined) return name;
  const file = path.resolve(name);
  const found = asFile(file) ?? asFolder(file);
  if (found === undefined) {
    throw missing(`Cannot find module '${file}'`, 'MODULE_NOT_FOUND', { requireStack: [] });
  }
  return internal.realpath(found);
}

// Whether a file is an ES module, by its name or by the nearest package.json.
function isModule(file) {
  if (endsWith(file, '.mjs')) return true;
  return endsWith(file, '.js') && typeOf(file) === 'module';
}

// The type that the nearest manifest gives to files that end in `.js`, if it gives one.
function typeOf(file) {
  for (let folder = path.dirname(file); ; folder = path.dirname(folder)) {
    const found = manifest(folder);
    if (found !== undefined) return found.type;
    if (folder === path.dirname(folder)) return undefined;
  }
}

module.exports = {
  builtin, builtins, fromPackages, isModule, isRelative, mainFile, missing, required,
  typeOf,
};
