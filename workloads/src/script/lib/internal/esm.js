// ES modules: what a specifier names, what a module's source is, and dynamic import. Modules of
// other kinds are given as small modules that export what those do.
//
// internal.readSource(path) -> string or undefined, internal.realpath(path),
// internal.rewriteImports(source), internal.importModule(url) -> promise of its namespace,
// internal.makeQueueMicrotask(refuse) -> function, internal.isWalked(), internal.walkUnseen(url),
// internal.walkedSource(source, url) -> source whose functions say when they begin.
'use strict';

const path = require('path');
const names = require('internal/resolve');
const { once } = require('internal/requests');
const { toPath, toUrl } = require('internal/file_url');

// Of our own, as that of scripts is told of where a run is explained.
const enqueueJob = internal.makeQueueMicrotask(() => {});

const BRIDGE = Symbol.for('loopscope.modules');
const load = require;

Object.defineProperty(globalThis, BRIDGE, {
  value: {
    builtin: (name) => load(name),
    cjs: importCommon,
    json: (file) => JSON.parse(internal.readSource(file)),
    importer: (url) => importer(url),
  },
});

// The main program, where it is a module.
let main;

// Whether a CommonJS module that was imported has thrown.
let commonHasFailed = false;

function importCommon(file) {
  try {
    return load('internal/cjs').importFile(file);
  } catch (error) {
    commonHasFailed = true;
    throw error;
  }
}

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
function resolve(specifier, base, type) {
  const url = found(specifier, base);
  if (url.endsWith('.json') && url.startsWith('file:') && type !== 'json') {
    const error = new TypeError(`Module "${url}" needs an import assertion of type "json"`);
    error.code = 'ERR_IMPORT_ASSERTION_TYPE_MISSING';
    throw error;
  }
  return url;
}

function found(specifier, base) {
  if (specifier === main?.url) return specifier;
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
  // The main module may have a source and no file.
  if (file !== undefined && toUrl(file) === main?.url) return main.url;
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

// The source of a module. Called by the engine; a second time where what it got makes no sense to
// it: then it gets the source as it is, if it did not.
function source(url, again = false) {
  if (again && !internal.isWalked()) return undefined;
  isAgain = again;
  if (isBuiltin(url)) {
    const name = url.slice(5);
    return listing(Object.keys(load(name)), bridged(`builtin(${JSON.stringify(name)})`));
  }
  if (url.startsWith('data:')) return javascript(dataSource(url), url);
  const file = toPath(url);
  if (file.endsWith('.json')) {
    return `export default ${bridged(`json(${JSON.stringify(file)})`)};`;
  }
  const text = url === main?.url ? main.text : internal.readSource(file);
  if (names.isModule(file)) return javascript(text, url);
  return listing(exportedNames(text), bridged(`cjs(${JSON.stringify(file)})`));
}

let isAgain = false;

function walked(text, url) {
  if (!internal.isWalked()) return text;
  if (!isAgain) return internal.walkedSource(text, url);
  internal.walkUnseen(url);
  return text;
}

// A function declared at the end is known from the start, and moves no line.
function javascript(text, url) {
  const rewritten = internal.rewriteImports(text.startsWith('#!') ? `//${text.slice(2)}` : text);
  const seen = walked(rewritten, url);
  if (rewritten === text) return seen;
  const call = bridged(`importer(${JSON.stringify(url)})(specifier, options)`);
  return `${seen}\nfunction _mport(specifier, options) { return ${call}; }\n`;
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

// Node's loader is JavaScript, too, and takes so many jobs: they count in the drains, and say how
// an import stands to what else is queued. Seen on Node 20, by `--trace-event-categories
// v8.execute`. Modules are of two kinds here: files that are read by way of the thread pool, and
// others (built in, CommonJS, read before).
const JOBS = {
  // Behind each call for a file, until the next.
  calls: [['open', 5], ['fstat', 2], ['read', 4]],
  // Until the main program's file is asked for, and that of an import.
  main: 3,
  imported: 5,
  // Behind the last call, for a module that imports no files.
  leaf: 19,
  mainLeaf: 18,
  importedLeaf: 20,
  // Behind the last call, for a module that imports files: in all, and for each file.
  links: 15,
  file: 4,
  // For each other module that it imports: one that is new, one that was imported before.
  other: 11,
  otherKnown: 5,
  // When all that a module imports is there, unless that was asked for by import or is the main
  // program: for those, more for each module below and each time one is imported again.
  linked: 4,
  importedLinked: 11,
  mainLinked: 9,
  below: 4,
  again: 1,
  // Before a module that needs no file is run; one that does not exist; a `data:` URL.
  ready: 10,
  // Before one that is there already.
  known: 2,
  missing: 3,
  data: 11,
  // From the failure of the main program until that is told.
  failed: 1,
  commonFailed: 0,
  // What running a module takes.
  run: 6,
  // Nothing waits for these: while the main program runs, and for an import of a module that needs
  // no file, is there already or about to be, does not exist, is a `data:` URL or JSON.
  beside: { main: 3, ready: 3, known: 1, loading: 4, missing: 2, data: 4, json: 1 },
};

// Lets so many jobs go by.
function burn(jobs, then = () => {}) {
  if (jobs <= 0) return then();
  let left = jobs;
  const step = () => (--left === 0 ? then() : enqueueJob(step));
  return enqueueJob(step);
}

// Reads a file by way of the thread pool, as Node does: four turns of the loop.
function readFile(file, then) {
  let fd;
  const step = (index) => {
    if (index === JOBS.calls.length) {
      internal.queueFile(once(then), 'close', fd);
      return;
    }
    const [call, jobs] = JOBS.calls[index];
    const args = { open: [file, 'r'], fstat: [fd], read: [fd, 1, -1] }[call];
    internal.queueFile(once((error, value) => {
      fd ??= value;
      burn(jobs, () => step(index + 1));
    }), call, ...args);
  };
  step(0);
}

// The file that has to be read before a module can be run. What is known to be CommonJS by its name
// or its package is read only when it runs.
function fileToRead(url) {
  if (!url.startsWith('file:') || read.has(url)) return undefined;
  const file = toPath(url);
  const isCommon = file.endsWith('.cjs') || names.typeOf(file) === 'commonjs';
  return file.endsWith('.json') || file.endsWith('.mjs') || !isCommon ? file : undefined;
}

// What a module imports statically, as URLs. What can't be found the engine tells of.
function imports(url) {
  const text = url === main?.url ? main.text : internal.readSource(toPath(url));
  const urls = internal.staticImports(text ?? '').map((specifier) => {
    try {
      return found(specifier, url);
    } catch {
      return undefined;
    }
  });
  return [...new Set(urls)].filter((one) => one !== undefined);
}

// What turns out to be CommonJS only when it has been read takes one more.
function leafOf(url) {
  const file = toPath(url);
  return file.endsWith('.json') || names.isModule(file) ? JOBS.leaf : JOBS.leaf + 1;
}

// What each module that has been read imports.
const imported = new Map();

// What is below a module that is asked for. It is walked once all of it is there.
class Graph {
  constructor(leaf, linked) {
    this.leaf = leaf;
    this.linked = linked;
    this.below = new Set();
    this.jobs = 0;
  }

  add(url) {
    const isAgain = this.below.has(url);
    this.jobs += isAgain ? JOBS.again : JOBS.below;
    this.below.add(url);
    if (!isAgain) imported.get(url)?.forEach((one) => this.add(one));
  }
}

// Reads the file of a module and of all that it imports.
function readModule(url, file, graph, isTop, then) {
  read.add(url);
  readFile(file, () => {
    const all = file.endsWith('.json') ? [] : imports(url);
    const files = all.filter((one) => fileToRead(one) !== undefined);
    imported.set(url, all);
    let jobs = 0;
    for (const one of all) {
      graph.add(one);
      if (!files.includes(one)) jobs += known.has(one) ? JOBS.otherKnown : JOBS.other;
      if (!known.has(one)) known.set(one, undefined);
    }
    if (files.length === 0) {
      burn(jobs + (isTop ? graph.leaf + graph.jobs : leafOf(url)), then);
      return;
    }
    let left = files.length;
    const done = () => {
      if (--left > 0) return;
      burn(isTop ? graph.linked + graph.jobs - JOBS.run : JOBS.linked, then);
    };
    burn(JOBS.links + JOBS.file * files.length + jobs, () => {
      for (const one of files) readModule(one, toPath(one), graph, false, done);
    });
  });
}

// The main program learns a job earlier that a CommonJS module has failed than an ES module.
function tellFailure(failed, error) {
  burn(commonHasFailed ? JOBS.commonFailed : JOBS.failed, () => failed(error));
}

const same = (value) => value;
// What has been prepared, or is about to be: by its URL, a promise until that is there.
const known = new Map();

// Has a module's files read.
function prepare(url, file, before, graph) {
  const prepared = new Promise((resolve) => {
    const done = () => {
      known.set(url, undefined);
      resolve();
    };
    if (file !== undefined) burn(before, () => readModule(url, file, graph, true, done));
    else burn(url.startsWith('data:') ? JOBS.data : JOBS.ready, done);
  });
  known.set(url, prepared);
  return prepared;
}

// What is imported again waits only where it is not there yet.
function prepareAgain(url) {
  const loading = known.get(url);
  burn(loading === undefined ? JOBS.beside.known : JOBS.beside.loading);
  return loading ?? new Promise((resolve) => {
    burn(JOBS.known, resolve);
  });
}

function besideOf(url, file) {
  if (url.endsWith('.json')) return JOBS.beside.json;
  if (file !== undefined) return 0;
  return url.startsWith('data:') ? JOBS.beside.data : JOBS.beside.ready;
}

const running = new Map();

// What is imported while it is loaded is run once, for both.
function share(url) {
  const prepared = prepareAgain(url);
  return new Promise((resolve, reject) => {
    prepared.then(() => (running.get(url) ?? internal.importModule(url)).then(resolve, reject));
  }).then(same);
}

// Has a module's files read, and runs it.
function run(url, file) {
  if (known.get(url) !== undefined) return share(url);
  const isKnown = known.has(url);
  const prepared = isKnown ? prepareAgain(url) :
    prepare(url, file, JOBS.imported, new Graph(JOBS.importedLeaf, JOBS.importedLinked));
  const ran = prepared.then(() => {
    if (!isKnown) burn(besideOf(url, file));
    running.set(url, internal.importModule(url));
    return running.get(url);
  });
  if (isKnown || !url.startsWith('file:') || names.isModule(toPath(url))) {
    return ran.then(same).then(same);
  }
  // What is not a module fails a job earlier.
  const beside = file === undefined ? 0 : 1;
  return new Promise((resolve, reject) => {
    ran.then((namespace) => {
      burn(beside);
      burn(1, () => resolve(namespace));
    }, (error) => {
      burn(beside);
      reject(error);
    });
  });
}

// `import()` as a module of this URL or file calls it.
function importer(from) {
  const base = from.startsWith('/') ? toUrl(from) : from;
  return (specifier, options) => {
    let url;
    try {
      url = resolve(`${specifier}`, base, (options?.with ?? options?.assert)?.type);
    } catch (error) {
      burn(JOBS.beside.missing);
      return new Promise((_, reject) => {
        burn(JOBS.missing, () => reject(error));
      });
    }
    return run(url, fileToRead(url));
  };
}

function runMain(file, failed) {
  const text = internal.mainSource();
  const url = toUrl(file);
  main = {
    file: text === undefined ? file : '/dev/null', text: text ?? internal.readSource(file), url,
  };
  const graph = new Graph(JOBS.mainLeaf, JOBS.mainLinked);
  const prepared = prepare(url, main.file, JOBS.main, graph);
  return new Promise((resolve) => {
    prepared.then(() => {
      burn(JOBS.beside.main);
      internal.importModule(url).then(resolve, (error) => tellFailure(failed, error));
    });
  });
}

module.exports = { fillMeta, importer, resolve, runMain, source };
