// ES modules: what a specifier names, what a module's source is. Modules of other kinds are given
// as small modules that export what those do.
//
// internal.readSource(path) -> string or undefined, internal.realpath(path),
// internal.rewriteImports(source), internal.staticImports(source) -> specifier and type of each,
// internal.declareModule(url, source), internal.isWalked(), internal.walkUnseen(url),
// internal.walkedSource(source, url) -> source whose functions say when they begin.
'use strict';

const path = require('path');
const names = require('internal/resolve');
const { toPath, toUrl } = require('internal/file_url');
const {
  exec, filter, find, forEach, includes, join, map, matchAll, membersOf, push, replace, search,
  slice, split, startsWith, test,
} = require('internal/primordials');

const BRIDGE = Symbol.for('loopscope.modules');
const load = require;

Object.defineProperty(globalThis, BRIDGE, {
  value: {
    bring: (url, namespace) => namespaces.set(url, namespace),
    builtin: (name) => load(name),
    cjs: importCommon,
    json: (url) => jsons.get(url),
    importer: (url) => load('internal/esm_loader').importer(url),
  },
});

// The main program, where it is a module.
let main;

// Names a module that may have a source and no file.
function setMain(file, text) {
  const url = toUrl(file);
  main = { file: text === undefined ? file : '/dev/null', text, url };
  return url;
}

// What CommonJS modules that were imported have thrown, by their files: it is thrown again where
// they are imported again.
const thrown = new Map();

function importCommon(file) {
  if (thrown.has(file)) throw thrown.get(file);
  try {
    return load('internal/cjs').importFile(file);
  } catch (error) {
    thrown.set(file, error);
    last = error;
    throw error;
  }
}

// How many CommonJS modules have failed that were imported.
const failures = () => thrown.size;

let last;
const lastFailure = () => last;

// What JSON modules have, by their URLs.
const jsons = new Map();

function parseJson(url) {
  if (jsons.has(url)) return;
  try {
    jsons.set(url, JSON.parse(textOf(url)));
  } catch (error) {
    error.message = `${fileOf(url)}: ${error.message}`;
    throw error;
  }
}

function notFound(specifier, base) {
  const isPackage = !names.isRelative(specifier) && !startsWith(specifier, 'file:');
  const what = isPackage ? `package '${packageOf(specifier)}'` :
    `module '${toPath(wanted(specifier, base))}'`;
  return names.missing(`Cannot find ${what} imported from ${fileOf(base)}`,
    'ERR_MODULE_NOT_FOUND', isPackage ? undefined : { url: wanted(specifier, base) });
}

const packageOf = (specifier) =>
  join(split(specifier, '/', startsWith(specifier, '@') ? 2 : 1), '/');
const fileOf = (base) => (startsWith(base, 'file:') ? toPath(base) : base);

// A specifier without its query and fragment, and those.
function parted(specifier) {
  const end = search(specifier, /[?#]/);
  return end < 0 ? [specifier, ''] : [slice(specifier, 0, end), slice(specifier, end)];
}

// The URL that a specifier asks for which names a file.
function wanted(specifier, base) {
  if (startsWith(specifier, 'file:')) return specifier;
  const { 0: name, 1: rest } = parted(specifier);
  return toUrl(path.resolve(path.dirname(fileOf(base)), decodeURIComponent(name))) + rest;
}

// The URL of the module that a specifier names.
function found(specifier, base) {
  if (specifier === main?.url) return specifier;
  if (test(/^(data|node):/, specifier)) return specifier;
  const name = names.builtin(specifier);
  if (name !== undefined) return `node:${name}`;
  if (startsWith(specifier, 'file:') || names.isRelative(specifier)) {
    const url = wanted(specifier, base);
    return checked(toPath(url), parted(url)[1], specifier, base);
  }
  const folder = path.dirname(fileOf(base));
  const file = names.fromPackages(specifier, folder, ['node', 'import', 'default']);
  return checked(file, '', specifier, base);
}

function checked(file, rest, specifier, base) {
  if (file !== undefined && toUrl(file) + rest === main?.url) return main.url;
  if (file !== undefined && internal.isDirectory(file)) {
    throw names.missing(`Directory import '${file}' is not supported resolving ES modules ` +
      `imported from ${fileOf(base)}`, 'ERR_UNSUPPORTED_DIR_IMPORT', { url: toUrl(file) });
  }
  if (file === undefined || !internal.isFile(file)) throw notFound(specifier, base);
  return toUrl(internal.realpath(file)) + rest;
}

// What kind of module it is, as far as its URL tells.
function formatOf(url) {
  if (url === main?.url) return 'module';
  if (startsWith(url, 'node:')) return 'builtin';
  if (startsWith(url, 'data:')) return undefined;
  const file = toPath(url);
  const kind = { '.cjs': 'commonjs', '.json': 'json', '.mjs': 'module' }[path.extname(file)];
  return kind ?? names.typeOf(file);
}

const typeOfData = (url) => exec(/^data:([^,;]*)/, url)[1];

function unknownFormat(url) {
  const error = new RangeError(`Unknown module format: ${typeOfData(url)} for URL ${url}`);
  error.code = 'ERR_UNKNOWN_MODULE_FORMAT';
  return error;
}

// The same once its source is there; null where that is of no use.
function formatOfSource(url) {
  if (startsWith(url, 'data:')) {
    return { 'text/javascript': 'module', 'application/json': 'json' }[typeOfData(url)] ?? null;
  }
  const known = formatOf(url);
  if (known !== undefined) return known;
  const extension = path.extname(toPath(url));
  if (extension === '.js' || extension === '') return 'commonjs';
  const error = new TypeError(`Unknown file extension "${extension}" for ${toPath(url)}`);
  error.code = 'ERR_UNKNOWN_FILE_EXTENSION';
  throw error;
}

function listing(keys, value) {
  const named = filter(keys, (key) => key !== 'default' && test(/^[A-Za-z_$][\w$]*$/, key));
  const lines = map(named, (key, index) => `const e${index} = m[${JSON.stringify(key)}];`);
  const exports = map(named, (key, index) => `e${index} as ${key}`);
  return `const m = ${value};\n${join(lines, '\n')}\nexport default m;\n` +
    `export { ${join(exports, ', ')} };\n`;
}

const bridged = (call) => `globalThis[Symbol.for('loopscope.modules')].${call}`;

function dataSource(url) {
  const { 1: base64, 2: text } = exec(/^data:[^,]*?(;base64)?,(.*)$/s, url) ?? ['', '', ''];
  return base64 ? require('buffer').atob(text) : decodeURIComponent(text);
}

// What a CommonJS module exports by name, as far as its source tells.
function exportedNames(source) {
  const found = new Set();
  const add = (match) => found.add(match[1]);
  forEach(matchAll(source, /\bexports\.([A-Za-z_$][\w$]*)\s*=/g), add);
  const object = exec(/\bmodule\.exports\s*=\s*\{([^{}]*)\}/, source);
  forEach(matchAll(object?.[1] ?? '', /(?:^|,)\s*([A-Za-z_$][\w$]*)\s*(?=[,:}]|$)/g), add);
  return membersOf(found);
}

// The source of a module that brings the namespace of another one here, and where it then is.
const namespaces = new Map();
const brought = (url) => namespaces.get(url);

function bringing(url) {
  const name = JSON.stringify(url);
  return `import * as namespace from ${name};\n${bridged('bring')}(${name}, namespace);\n`;
}

// The source of a module. Called by the engine; a second time where what it got makes no sense to
// it: then it gets the source as it is, if it did not.
function source(url, again = false) {
  if (again && !internal.isWalked()) return undefined;
  isAgain = again;
  const format = formatOfSource(url);
  if (format === 'builtin') {
    const name = slice(url, 5);
    return listing(Object.keys(load(name)), bridged(`builtin(${JSON.stringify(name)})`));
  }
  if (format === 'module') return javascript(textOf(url), url, walked);
  if (format === 'json') return `export default ${bridged(`json(${JSON.stringify(url)})`)};`;
  return listing(exportedNames(textOf(url)), bridged(`cjs(${JSON.stringify(toPath(url))})`));
}

function textOf(url) {
  if (url === main?.url && main.text !== undefined) return main.text;
  return startsWith(url, 'data:') ? dataSource(url) : internal.readSource(toPath(url)) ?? '';
}

// Whether the engine is asked for nothing but whether a source makes sense.
let checking = false;
const MAKES_SENSE = Object.freeze({ __proto__: null });

// Throws where a module's source makes no sense. What it imports is not looked at: the engine
// compiles a source before it asks what its specifiers name.
function check(url) {
  const text = javascript(textOf(url), url, (same) => same);
  checking = true;
  try {
    internal.declareModule(url, `${text}\nimport 'loopscope:end';`);
  } catch (error) {
    if (error !== MAKES_SENSE) throw error;
  } finally {
    checking = false;
  }
}

// The URL of the module that a specifier names. Called by the engine.
function resolve(specifier, base) {
  if (checking) throw MAKES_SENSE;
  return found(specifier, base);
}

// What a module imports statically: pairs of specifier and type.
function imports(url) {
  const all = internal.staticImports(textOf(url));
  const pairs = [];
  for (let i = 0; i < all.length; i += 2) push(pairs, [all[i], all[i + 1]]);
  return pairs;
}

let isAgain = false;

function walked(text, url) {
  if (!internal.isWalked()) return text;
  if (!isAgain) return internal.walkedSource(text, url);
  internal.walkUnseen(url);
  return text;
}

// A function declared at the end is known from the start, and moves no line.
function javascript(text, url, seenAs) {
  const rewritten = internal.rewriteImports(startsWith(text, '#!') ? `//${slice(text, 2)}` : text);
  const seen = seenAs(rewritten, url);
  if (rewritten === text) return seen;
  const call = bridged(`importer(${JSON.stringify(url)})(specifier, options)`);
  return `${seen}\nfunction _mport(specifier, options) { return ${call}; }\n`;
}

// What a specifier names, whether it is there or not.
function asUrl(specifier, base) {
  try {
    return found(specifier, base);
  } catch (error) {
    if (error?.url !== undefined) return error.url;
    throw error;
  }
}

// That a name is not exported, by who asks for it and by what name.
function unlinked(name, format, { importer, specifier }) {
  if (format !== 'commonjs') {
    return `The requested module '${specifier}' does not provide an export named '${name}'`;
  }
  const line = find(split(textOf(importer), '\n'), (one) => includes(one, specifier)) ?? '';
  const asked = exec(/{.*}/, line);
  const taken = asked ? `const ${replace(asked[0], /\s+as\s+/g, ': ')} = pkg;\n` : '';
  return `Named export '${name}' not found. The requested module '${specifier}' is a CommonJS ` +
    'module, which may not support all module.exports as named exports.\nCommonJS modules can ' +
    'always be imported via the default export, for example using:\n\n' +
    `import pkg from '${specifier}';\n${taken}`;
}

// Fills `import.meta`. Called by the engine.
function fillMeta(meta, url) {
  if (startsWith(url, 'file:')) {
    const file = toPath(url);
    meta.dirname = path.dirname(file);
    meta.filename = file;
  }
  meta.resolve = (specifier) => asUrl(String(specifier), url);
  meta.url = url;
}

module.exports = {
  bringing, brought, check, failures, fillMeta, found, formatOf, formatOfSource, importCommon,
  imports, lastFailure, parseJson, resolve, setMain, source, unknownFormat, unlinked,
  mainFile: () => main?.file,
  mainUrl: () => main?.url,
};
