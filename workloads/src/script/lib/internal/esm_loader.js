// Loads ES modules by as many jobs as Node's loader, which is JavaScript, too: its promises settle
// behind one another as they do here, await by await, so what is imported twice, fails or shares
// what it imports has the drains that it has there. A step that seems to do nothing is one of
// Node's. Seen against V8's own count, by `--trace-event-categories v8.execute`.
//
// internal.importModule(url) -> promise of its namespace, which takes a job more than
// internal.runModule(url, source) -> promise of nothing.
'use strict';

const esm = require('internal/esm');
const { readFile } = require('fs/promises');
const { builtin } = require('internal/resolve');
const { toPath, toUrl } = require('internal/file_url');
const { exec, map, startsWith, then } = require('internal/primordials');
const rejections = require('internal/rejections');

const nothing = () => {};

// What `promiseState` says of a promise.
const REJECTED = 2;

const UNLINKED = /^Could not find export '(.*)' in module '([^']*)/;

// As `Promise.all`, without a look at what scripts may have changed.
function allOf(promises) {
  return new Promise((resolve, reject) => {
    let left = promises.length;
    if (left === 0) resolve();
    const done = () => {
      if (--left === 0) resolve();
    };
    for (let i = 0; i < promises.length; i++) then(promises[i], done, reject);
  });
}

function wrongType(url, type, asked) {
  if (asked === '') {
    const error = new TypeError(`Module "${url}" needs an import attribute of type "${type}"`);
    error.code = 'ERR_IMPORT_ASSERTION_TYPE_MISSING';
    return error;
  }
  if (asked !== 'json') {
    const error = new TypeError(`Import attribute type "${asked}" is unsupported`);
    error.code = 'ERR_IMPORT_ASSERTION_TYPE_UNSUPPORTED';
    return error;
  }
  const error = new TypeError(`Module "${url}" is not of type "${asked}"`);
  error.code = 'ERR_IMPORT_ASSERTION_TYPE_FAILED';
  return error;
}

async function readSource(url) {
  if (!startsWith(url, 'file:')) return;
  await readFile(url === esm.mainUrl() ? esm.mainFile() : toPath(url));
}

async function loadChecked(url, asked, format) {
  if (format !== 'builtin' && format !== 'commonjs') {
    await readSource(url);
    format ??= await esm.formatOfSource(url);
  }
  const type = format === 'json' ? 'json' : '';
  if (asked !== type) throw wrongType(url, type, asked);
  return format;
}

async function load(url, asked, format) {
  return loadChecked(url, asked, format);
}

// What a module is, once its source is there and makes sense.
async function translate(url, asked, given) {
  const format = await load(url, asked, given);
  if (format === null) throw esm.unknownFormat(url);
  if (format === 'module') esm.check(url);
  if (format === 'json') esm.parseJson(url);
  if (format === 'builtin') builtin(url);
  return format;
}

class ModuleJob {
  constructor(url, asked) {
    this.url = url;
    this.asked = asked;
    this.format = undefined;
    // What it imports: specifiers and types, and their jobs.
    this.imports = [];
    this.below = [];
    this.translated = translate(url, asked, esm.formatOf(url));
    this.linked = this.link();
    then(this.linked, undefined, nothing);
    this.instantiated = undefined;
    this.isRun = false;
  }

  // What it imports is found and read.
  async link() {
    this.format = await this.translated;
    if (this.format === 'module') this.imports = esm.imports(this.url);
    const all = map(this.imports, ({ 0: specifier, 1: type }, index) => {
      return then(jobFor(specifier, this.url, type), (job) => {
        this.below[index] = job;
        return job.translated;
      });
    });
    await allOf(all);
  }

  instantiate() {
    this.instantiated ??= this.instantiateAll();
    return this.instantiated;
  }

  // Waits for all that is below it.
  async instantiateAll() {
    const seen = new Set();
    const add = async (job) => {
      if (seen.has(job)) return undefined;
      seen.add(job);
      await job.linked;
      return allOf(map(job.below, add));
    };
    await add(this);
    seen.forEach((job) => {
      job.instantiated = instantiated;
    });
  }

  // Runs it. What the engine's promise takes stands for a job of Node's.
  run() {
    const isFirst = !this.isRun;
    this.isRun = true;
    if (isFirst && this.format === 'commonjs') {
      try {
        esm.importCommon(toPath(this.url));
      } catch (error) {
        return Promise.reject(error);
      }
    }
    if (this.hasCommon(new Set())) return this.runCommon();
    const ran = internal.importModule(this.url);
    const { 0: state, 1: error } = internal.promiseState(ran);
    if (state !== REJECTED) return ran;
    rejections.ignore(ran);
    return this.tellUnlinked(error);
  }

  // Whether a CommonJS module is below.
  hasCommon(seen) {
    if (seen.has(this)) return false;
    seen.add(this);
    for (let i = 0; i < this.below.length; i++) {
      const job = this.below[i];
      if (job.format === 'commonjs' || job.hasCommon(seen)) return true;
    }
    return false;
  }

  // Where a CommonJS module below throws Node is told without a promise, and nothing handles the
  // rejection of the one that there is.
  async runCommon() {
    const failures = esm.failures();
    let ran;
    try {
      ran = internal.runModule(`loopscope:${this.url}`, esm.bringing(this.url));
    } catch (error) {
      await this.explainUnlinked(error);
    }
    if (esm.failures() > failures) throw esm.lastFailure();
    await ran;
    return esm.brought(this.url);
  }

  async tellUnlinked(error) {
    await this.explainUnlinked(error);
  }

  // A name is not exported. Node reads the file that lacks it once more, to know what it is.
  async explainUnlinked(error) {
    // The engine cuts long messages off.
    const { 1: name, 2: start } = exec(UNLINKED, error.message) ?? [];
    const found = start === undefined ? undefined : this.importerOf(start, new Set());
    if (found !== undefined) {
      const format = await load(found.url, '', undefined);
      error.message = esm.unlinked(name, format, found);
    }
    throw error;
  }

  // Who imports first what begins so, and by what name.
  importerOf(start, seen) {
    seen.add(this);
    for (let i = 0; i < this.below.length; i++) {
      const job = this.below[i];
      const { 0: specifier } = this.imports[i];
      if (startsWith(job.url, start)) return { importer: this.url, specifier, url: job.url };
      const found = seen.has(job) ? undefined : job.importerOf(start, seen);
      if (found !== undefined) return found;
    }
    return undefined;
  }
}
Object.setPrototypeOf(ModuleJob.prototype, null);

const instantiated = Promise.resolve();
const jobs = new Map();

async function jobFor(specifier, base, type) {
  const url = await esm.found(specifier, base);
  const key = `${type} ${url}`;
  let job = jobs.get(key);
  if (job === undefined) {
    job = new ModuleJob(url, type);
    jobs.set(key, job);
  }
  return job;
}

async function importModule(specifier, base, type) {
  const job = await jobFor(specifier, base, type);
  try {
    await job.instantiate();
  } catch (error) {
    // The run of a job fails in Node, and then that of who awaits it.
    await Promise.reject(error);
  }
  return await job.run();
}

async function importDynamically(specifier, base, type) {
  return importModule(specifier, base, type);
}

// `import()` as a module of this URL or file calls it.
function importer(from) {
  const base = startsWith(from, '/') ? toUrl(from) : from;
  return async (specifier, options) => {
    return importDynamically(`${specifier}`, base, (options?.with ?? options?.assert)?.type ?? '');
  };
}

async function runMain(file, done, failed) {
  const url = esm.setMain(file, internal.mainSource());
  try {
    done(await importModule(url, url, ''));
  } catch (error) {
    failed(error);
  }
}

module.exports = { importer, runMain };
