// CommonJS modules: `require`, `module`, `exports`.
//
// internal.readSource(path) -> string or undefined, internal.realpath(path),
// internal.rewriteImports(source), internal.compile(body, file, parameters) -> function,
// internal.isWalked(), internal.walkedSource(source, file) -> source, internal.walkUnseen(file).
'use strict';

const path = require('path');
const resolve = require('internal/resolve');
const { endsWith, push, replace, slice, startsWith } = require('internal/primordials');

const load = require;
const cache = Object.create(null);
const PARAMETERS = 'exports, require, module, __filename, __dirname, _mport';

class Module {
  constructor(id, parent) {
    this.id = id;
    this.path = path.dirname(id);
    this.exports = {};
    this.filename = id;
    this.loaded = false;
    this.children = [];
    this.paths = [];
    if (parent) push(parent.children, this);
  }
}

let main;

function lookUp(specifier, parent) {
  const { checkString } = load('internal/checks');
  checkString(specifier, 'id');
  const found = resolve.required(specifier, parent.path);
  if (found === undefined) {
    throw resolve.missing(`Cannot find module '${specifier}'\nRequire stack:\n- ${parent.filename}`,
      'MODULE_NOT_FOUND', { requireStack: [parent.filename] });
  }
  return internal.realpath(found);
}

function requireFrom(parent) {
  function require(specifier) {
    const name = typeof specifier === 'string' ? resolve.builtin(specifier) : undefined;
    if (name !== undefined) return load(name);
    const file = lookUp(specifier, parent);
    const known = cache[file];
    return known === undefined ? run(new Module(file, parent)).exports : known.exports;
  }
  require.resolve = (specifier) => {
    const name = resolve.builtin(specifier);
    return name === undefined ? lookUp(specifier, parent) : specifier;
  };
  require.main = main;
  require.cache = cache;
  require.extensions = Object.create(null);
  return require;
}

function body(module, source) {
  const text = startsWith(source, '#!') ? `//${slice(source, 2)}` : source;
  const rewritten = internal.rewriteImports(text);
  const file = module.filename;
  if (internal.isWalked()) {
    try {
      return internal.compile(internal.walkedSource(rewritten, file), file, PARAMETERS);
    } catch {
      internal.walkUnseen(file);
    }
  }
  return internal.compile(rewritten, file, PARAMETERS);
}

// Runs a module, once. One that throws is forgotten.
function run(module) {
  let done = false;
  try {
    evaluate(module, internal.readSource(module.filename), resolve.isModule(module.filename));
    done = true;
  } finally {
    if (!done) delete cache[module.filename];
  }
  return module;
}

function evaluate(module, source, isModule) {
  cache[module.filename] = module;
  if (endsWith(module.filename, '.json')) {
    module.exports = parse(module, source);
  } else if (isModule) {
    throw resolve.missing(`require() of ES Module ${module.filename} not supported.\n` +
      'Use dynamic import() instead.', 'ERR_REQUIRE_ESM');
  } else {
    execute(module, source);
  }
  module.loaded = true;
}

function execute(module, source) {
  const require = requireFrom(module);
  const { exports, filename } = module;
  const importer = () => load('internal/esm_loader').importer(filename);
  const dynamic = (...args) => Reflect.apply(importer(), undefined, args);
  const given = [exports, require, module, filename, module.path, dynamic];
  Reflect.apply(body(module, source), exports, given);
}

function parse(module, source) {
  try {
    return JSON.parse(replace(source, /^\uFEFF/, ''));
  } catch (error) {
    error.message = `${module.filename}: ${error.message}`;
    throw error;
  }
}

// Runs the main program. Returns what it exports, which it may still change.
function runMain(file, source) {
  main = new Module(file, undefined);
  main.id = '.';
  main.filename = file;
  const isModule = source === undefined && resolve.isModule(file);
  evaluate(main, source ?? internal.readSource(file), isModule);
  return main;
}

// After the main program has thrown: nothing stands around it, so that the engine knows from where.
function forgetMain() {
  if (main !== undefined) delete cache[main.filename];
}

// A module that is imported rather than required.
function importFile(file) {
  return (cache[file] ?? run(new Module(file, undefined))).exports;
}

module.exports = { Module, forgetMain, importFile, requireFrom, runMain };
