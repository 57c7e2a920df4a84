'use strict';
// The module `fs`: what is done with a callback goes through the pool, in as many calls, and so
// turns of the loop, as in Node; what ends in `Sync` blocks the loop's thread.
//
// Left out: streams and watchers. Paths and names are UTF-8.
//
// Natives: the calls of `internal/fs/steps`.

const { AbortError } = require('internal/errors');
const { checkBoolean } = require('internal/checks');
const { calls, nativeRealpath } = require('internal/fs/calls');
const { checkedCallback, checkedData, checkedOptions, isDescriptor } =
  require('internal/fs/check');
const data = require('internal/fs/data');
const { Dirent, Stats, constants } = require('internal/fs/stats');
const { run, runSync } = require('internal/fs/steps');
const whole = require('internal/fs/whole');
const { each, slice } = require('internal/primordials');

const fs = module.exports;

// The callback of a function, and what stands before it.
function split(args, { needs, options = 0 }) {
  let at = needs;
  while (at < needs + options && typeof args[at] !== 'function') at++;
  return [slice(args, 0, at), args[at]];
}

function callbackForm(name, description) {
  return { [name](...args) {
    const { 0: given, 1: callback } = split(args, description);
    const isClosing = name === 'close' && callback === undefined;
    const done = isClosing ? throwIt : checkedCallback(callback);
    run(Reflect.apply(description.work, description, given), (error, value) => {
      if (error) done(error);
      else if (description.answer) done(null, description.answer(value, given));
      else if (value === undefined) done(null);
      else done(null, value);
    });
  } }[name];
}

function throwIt(error) {
  if (error) throw error;
}

function syncForm(name, description) {
  return { [name](...args) {
    const value = runSync(Reflect.apply(description.work, description, args));
    return description.answer ? description.answer(value, args) : value;
  } }[name];
}

for (const { 0: name, 1: description } of each(Object.entries(calls))) {
  fs[name] = callbackForm(name, description);
  fs[`${name}Sync`] = syncForm(`${name}Sync`, description);
}
fs.realpath.native = callbackForm('native', nativeRealpath);
fs.realpathSync.native = syncForm('native', nativeRealpath);
Object.assign(fs, {
  read: data.read, readSync: data.readSync, write: data.write, writeSync: data.writeSync,
});

// Nothing there is no error, where that is asked for.
for (const name of each(['statSync', 'lstatSync'])) {
  const plain = fs[name];
  fs[name] = { [name](path, options) {
    try {
      return plain(path, options);
    } catch (error) {
      const isMissing = error.code === 'ENOENT' || error.code === 'ENOTDIR';
      if (options?.throwIfNoEntry === false && isMissing) return undefined;
      throw error;
    }
  } }[name];
}

fs.exists = function exists(path, callback) {
  checkedCallback(callback);
  let work;
  try {
    work = calls.access.work(path);
  } catch {
    callback(false);
    return;
  }
  run(work, (error) => callback(!error));
};
Object.defineProperty(fs.exists, require('util').promisify.custom, {
  value: (path) => new Promise((resolve) => fs.exists(path, resolve)),
});

fs.existsSync = function existsSync(path) {
  try {
    runSync(calls.access.work(path));
    return true;
  } catch {
    return false;
  }
};

function isAborted(signal, callback) {
  if (!signal?.aborted) return false;
  callback(new AbortError(undefined, { cause: signal.reason }));
  return true;
}

fs.readFile = function readFile(path, options, callback) {
  callback ||= options;
  checkedCallback(callback);
  options = checkedOptions(options, { flag: 'r' });
  if (isAborted(options.signal, callback)) return;
  run(whole.read(path, options), callback);
};

fs.readFileSync = function readFileSync(path, options) {
  return runSync(whole.readSync(path, checkedOptions(options, { flag: 'r' })));
};

const WRITING = { encoding: 'utf8', mode: 0o666, flag: 'w', flush: false };
const APPENDING = { encoding: 'utf8', mode: 0o666, flag: 'a' };

function writeOptions(options) {
  options = checkedOptions(options, WRITING);
  checkBoolean(options.flush ?? false, 'options.flush');
  return options;
}

fs.writeFile = function writeFile(path, content, options, callback) {
  callback ||= options;
  checkedCallback(callback);
  options = writeOptions(options);
  const bytes = checkedData(content, options.encoding);
  if (!isDescriptor(path) && isAborted(options.signal, callback)) return;
  run(whole.write(path, bytes, options), callback);
};

fs.writeFileSync = function writeFileSync(path, content, options) {
  options = writeOptions(options);
  const bytes = checkedData(content, options.encoding);
  runSync(whole.write(path, bytes, { ...options, signal: undefined }));
};

const appending = (path, options) => {
  options = { ...checkedOptions(options, APPENDING) };
  if (!options.flag || isDescriptor(path)) options.flag = 'a';
  return options;
};

fs.appendFile = function appendFile(path, content, options, callback) {
  callback ||= options;
  checkedCallback(callback);
  fs.writeFile(path, content, appending(path, options), callback);
};

fs.appendFileSync = function appendFileSync(path, content, options) {
  fs.writeFileSync(path, content, appending(path, options));
};

function leftOut(name) {
  return { [name]() {
    const error = new Error(`fs.${name} is left out: loopscope runs what bears on scheduling, ` +
      'and is no second Node. Run the program with node, and observe it with ' +
      '`loopscope attach PID`.');
    error.code = 'ERR_LOOPSCOPE_LEFT_OUT';
    throw error;
  } }[name];
}

const ABSENT = ['createReadStream', 'createWriteStream', 'watch', 'watchFile', 'unwatchFile',
  'opendir', 'opendirSync', 'cp', 'cpSync', 'openAsBlob', 'statfs', 'statfsSync', 'readv',
  'readvSync', 'writev', 'writevSync', 'utimes', 'utimesSync', 'futimes', 'futimesSync', 'lutimes',
  'lutimesSync', 'chown', 'chownSync', 'fchown', 'fchownSync', 'lchown', 'lchownSync', 'fchmod',
  'fchmodSync'];
for (const name of each(ABSENT)) {
  fs[name] = leftOut(name);
}

Object.assign(fs, {
  Dirent, Stats, F_OK: constants.F_OK, R_OK: constants.R_OK, W_OK: constants.W_OK,
  X_OK: constants.X_OK,
});
Object.defineProperty(fs, 'constants', { enumerable: false, value: constants });
Object.defineProperty(fs, 'promises', {
  configurable: true, enumerable: true, get: () => require('fs/promises'),
});
