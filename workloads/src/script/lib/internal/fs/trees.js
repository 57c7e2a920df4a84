'use strict';
// Work on folders, as steps (`internal/fs/steps`): parents that are missing, what stands in a tree,
// where links lead. The calls, and their order, are those that Node makes.
//
// Natives: none but the calls of `internal/fs/steps`.

const path = require('path');
const { codes } = require('internal/errors');
const { isDirectory, isLink } = require('internal/fs/stats');
const {
  concat, each, exec, filter, includes, lastIndexOf, map, pop, push, slice, split,
} = require('internal/primordials');

const FINAL = ['EACCES', 'ENOSPC', 'ENOTDIR', 'EPERM', 'EROFS', 'ENAMETOOLONG', 'ELOOP'];
const ERRNOS = { EEXIST: [-17, 'file already exists'], ENOTDIR: [-20, 'not a directory'] };

// The error of a call that was not made, or was made for another path.
function fault(code, file) {
  const { systemError } = require('internal/errors');
  const { 0: errno, 1: message } = ERRNOS[code];
  return systemError({ errno, code, message, syscall: 'mkdir', path: file });
}

function of(error, file) {
  const { systemError } = require('internal/errors');
  const message = exec(/^\w+: (.*), \w+( '|$)/, error.message)[1];
  return systemError({ ...error, message, syscall: 'mkdir', path: file });
}

function parent(file) {
  const slash = lastIndexOf(file, '/');
  return slash < 0 ? file : slice(file, 0, slash);
}

function* standsThere(file, whole, hasMore) {
  let found;
  try {
    found = yield ['stat', file];
  } catch (error) {
    throw of(error, whole);
  }
  if (!isDirectory(found)) throw fault(hasMore ? 'ENOTDIR' : 'EEXIST', whole);
}

// Makes a folder and those that it stands in. Returns the first that was made.
function* makeAll(whole, mode) {
  const waiting = [whole];
  let first;
  while (waiting.length > 0) {
    const file = pop(waiting);
    try {
      yield ['mkdir', file, mode];
      first ??= file;
    } catch (error) {
      if (includes(FINAL, error.code)) throw of(error, whole);
      const above = parent(file);
      if (error.code === 'ENOENT' && above !== file) push(waiting, file, above);
      else if (error.code === 'ENOENT' && waiting.length === 0) throw fault('EEXIST', whole);
      else if (error.code !== 'ENOENT') yield* standsThere(file, whole, waiting.length > 0);
    }
  }
  return first === undefined ? undefined : path.resolve(first);
}

const GONE = 'ENOENT';
const NOT_EMPTY = ['ENOTEMPTY', 'EEXIST', 'EPERM'];

// Removes a file, or a folder with all that is in it. What is gone already is as good as removed.
function* removeAll(file) {
  try {
    const found = yield ['lstat', file];
    if (isDirectory(found)) yield* removeFolder(file);
    else yield ['unlink', file];
  } catch (error) {
    if (error.code !== GONE) throw error;
  }
}

function* removeFolder(folder) {
  try {
    yield ['rmdir', folder];
    return;
  } catch (error) {
    if (!includes(NOT_EMPTY, error.code)) throw error;
  }
  const names = yield ['scandir', folder];
  if (names.length > 0) yield map(names, ({ 0: name }) => removeAll(`${folder}/${name}`));
  yield ['rmdir', folder];
}

// What `rm` does first: a folder is removed only where that is asked for.
function* lookAt(file, { recursive, force }) {
  try {
    const found = yield ['lstat', file];
    if (isDirectory(found) && !recursive) throw new codes.ERR_FS_EISDIR(file);
  } catch (error) {
    if (!(force && error.code === GONE)) throw error;
  }
}

function* remove(file, options) {
  yield* lookAt(file, options);
  yield* removeAll(file);
}

// What stands in a folder and in those within, a level at a time.
function* listAll(base, asEntry) {
  const found = [];
  const folders = [base];
  for (const folder of each(folders)) {
    for (const { 0: name, 1: type } of each(yield ['scandir', folder])) {
      const file = path.join(folder, name);
      push(found, asEntry(name, type, folder, path.relative(base, file)));
      if (type === 2) push(folders, file);
    }
  }
  return found;
}

// The same for promises, which go on with the folder that was found last.
function* listDeep(base, asEntry) {
  const found = [];
  const folders = [[base, yield ['scandir', base]]];
  while (folders.length > 0) {
    const { 0: folder, 1: entries } = pop(folders);
    for (const { 0: name, 1: type } of each(entries)) {
      const file = path.join(folder, name);
      push(found, asEntry(name, type, folder, path.relative(base, file)));
      if (type === 2) push(folders, [file, yield ['scandir', file]]);
    }
  }
  return found;
}

// Where a path leads, part by part, as `fs.realpath` walks it. Links in a circle fail in `stat`.
function* follow(file) {
  let rest = filter(split(path.resolve(file), '/'), Boolean);
  let done = '';
  const known = new Set();
  yield ['tick'];
  while (rest.length > 0) {
    const base = `${done}/${rest[0]}`;
    rest = slice(rest, 1);
    if (!known.has(base) && isLink(yield ['lstat', base])) {
      yield ['stat', base];
      const target = path.resolve(done === '' ? '/' : done, yield ['readlink', base]);
      rest = concat(filter(split(target, '/'), Boolean), rest);
      done = '';
    } else {
      known.add(base);
      done = base;
    }
    yield ['tick'];
  }
  return done === '' ? '/' : done;
}

module.exports = { follow, listAll, listDeep, lookAt, makeAll, remove, removeAll };
