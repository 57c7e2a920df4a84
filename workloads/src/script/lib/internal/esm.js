// ES modules: what a specifier names, what a module's source is, and dynamic import. Modules of
// other kinds are given as small modules that export what those do.
//
// internal.readSource(path) -> string or undefined, internal.realpath(path),
// internal.rewriteImports(source), internal.importModule(url) -> promise of its namespace.
'use strict';

const path = require('path');
const names = require('internal/resolve');
const { once } = require('internal/requests');
const { toPath, toUrl } = require('internal/file_url');

const BRIDGE = Symbol.for('loopscope.modules');
const load = require;

Object.defineProperty(globalThis, BRIDGE, {
  value: {
    builtin: (name) => load(name),
    cjs: (file) => load('internal/cjs').importFile(file),
    json: (file) => JSON.parse(internal.readSource(file)),
    importer: (url) => importer(url),
  },
});

const isBuiltin = (url) => url.startsWith('node:');

function notFound(specifier, base) {
  const kind = names.isRelative(specifier) ? 'module' : 'package';
  const asked = kind === 'module' ? folderOf(base, specifier) : specifier;
  return names.missing(`Cannot find ${kind} '${asked}' imported from ${fileOf(base)}`,
    'ERR_MODULE_NOT_FOUND');
}

const fileOf = (base) => (base.startsWith('file:') ? toPath(base) : base);
const folderOf = (base, specifier) => path.resolve(path.dirname(fileOf(base)), specifier);

// The URL of the module that a specifier names. Called by the engine, too.
function resolve(specifier, base) {
  const name = specifier.startsWith('data:') ? undefined : names.builtin(specifier);
  if (name !== undefined) return `node:${name}`;
  if (specifier.startsWith('data:')) return specifier;
  if (specifier.startsWith('file:')) return checked(toPath(specifier), specifier, base);
  if (names.isRelative(specifier)) {
    return checked(folderOf(base, decodeURIComponent(specifier)), specifier, base);
  }
  const folder = path.dirname(fileOf(base));
  const file = names.fromPackages(specifier, folder, ['node', 'import', 'default']);
  return checked(file, specifier, base);
}

function checked(file, specifier, base) {
  if (file === undefined || !internal.isFile(file)) throw notFound(specifier, base);
  return toUrl(internal.realpath(file));
}

function listing(keys, value) {
  const named = keys.filter((key) => key !== 'default' && /^[A-Za-z_$][\w$]*$/.test(key));
  const lines = named.map((key, index) => `const e${index} = m[${JSON.stringify(key)}];`);
  const exports = named.map((key, index) => `e${index} as ${key}`);
  return `const m = ${value};\n${lines.join('\n')}\nexport default m;\n` +
    `export { ${exports.join(', ')} };\n`;
}

const bridged = (call) => `globalThis[Symbol.for('loopscope.modules')].${call}`;

function dataSource(url) {
  const match = /^data:(text\/javascript|application\/json)[^,]*?(;base64)?,(.*)$/s.exec(url);
  if (match === null) {
    throw names.missing(`Unknown module format: ${url.slice(0, 40)}`, 'ERR_UNKNOWN_MODULE_FORMAT');
  }
  const text = match[2] ? require('buffer').atob(match[3]) : decodeURIComponent(match[3]);
  return match[1] === 'application/json' ? `export default ${text};` : text;
}

// What a CommonJS module exports by name, as far as its source tells.
function exportedNames(source) {
  const found = new Set();
  for (const match of source.matchAll(/\bexports\.([A-Za-z_$][\w$]*)\s*=/g)) found.add(match[1]);
  const object = /\bmodule\.exports\s*=\s*\{([^{}]*)\}/.exec(source);
  for (const match of object?.[1].matchAll(/(?:^|,)\s*([A-Za-z_$][\w$]*)\s*(?=[,:}]|$)/g) ?? []) {
    found.add(match[1]);
  }
  return [...found];
}

// The source of a module. Called by the engine.
function source(url) {
  if (isBuiltin(url)) {
    const name = url.slice(5);
    return listing(Object.keys(load(name)), bridged(`builtin(${JSON.stringify(name)})`));
  }
  if (url.startsWith('data:')) return javascript(dataSource(url), url);
  const file = toPath(url);
  if (file.endsWith('.json')) {
    return `export default ${bridged(`json(${JSON.stringify(file)})`)};`;
  }
  const text = file === main?.file ? main.text : internal.readSource(file);
  if (names.isModule(file)) return javascript(text, url);
  return listing(exportedNames(text), bridged(`cjs(${JSON.stringify(file)})`));
}

// A function declared at the end is known from the start, and moves no line.
function javascript(text, url) {
  const rewritten = internal.rewriteImports(text.startsWith('#!') ? `//${text.slice(2)}` : text);
  if (rewritten === text) return text;
  const call = bridged(`importer(${JSON.stringify(url)})(specifier, options)`);
  return `${rewritten}\nfunction _mport(specifier, options) { return ${call}; }\n`;
}

// Fills `import.meta`. Called by the engine.
function fillMeta(meta, url) {
  if (url.startsWith('file:')) {
    const file = toPath(url);
    meta.dirname = path.dirname(file);
    meta.filename = file;
  }
  meta.resolve = (specifier) => resolve(String(specifier), url);
  meta.url = url;
}

const read = new Set();

// Reads a module's file by way of the thread pool, as Node does; but for CommonJS modules, which it
// reads when it runs them.
function fetchSource(url) {
  if (!url.startsWith('file:') || read.has(url)) return Promise.resolve();
  read.add(url);
  const file = toPath(url);
  if (!file.endsWith('.json') && !names.isModule(file)) return Promise.resolve();
  return new Promise((settle) => {
    const hop = (calls, fd) => {
      if (calls.length === 0) return settle();
      const [call, ...rest] = calls;
      const args = call === 'open' ? [file, 'r'] : [fd];
      const told = once((error, value) => (error ? settle() : hop(rest, fd ?? value)));
      return internal.queueFile(told, call, ...args);
    };
    hop(['open', 'fstat', 'close'], undefined);
  });
}

// `import()` as a module of this URL or file calls it.
function importer(from) {
  const base = from.startsWith('/') ? toUrl(from) : from;
  return async (specifier, options) => {
    void options;
    const url = resolve(`${specifier}`, base);
    await fetchSource(url);
    return internal.importModule(url);
  };
}

let main;

async function runMain(file) {
  const text = internal.mainSource();
  const url = toUrl(file);
  main = { file, text: text ?? internal.readSource(file) };
  if (text === undefined) {
    await fetchSource(url);
  } else {
    await new Promise((settle) => internal.queueFile(once(settle), 'stat', '/'));
  }
  return internal.importModule(url);
}

module.exports = { fillMeta, importer, resolve, runMain, source };
