'use strict';
// The functions on paths and descriptors, described once: how many arguments each needs, whether
// options stand behind them, what it does (a call, or steps: `internal/fs/steps`), and what it
// makes of the answer. `fs` and `fs/promises` are made of this table.
//
// Natives: none.

const { Buffer } = require('buffer');
const { codes } = require('internal/errors');
const { checkBoolean, checkInteger } = require('internal/checks');
const { checkedDescriptor, checkedFlags, checkedMode, checkedOptions, checkedPath,
  checkedRemoval } = require('internal/fs/check');
const { Dirent, statsOf } = require('internal/fs/stats');
const trees = require('internal/fs/trees');
const { includes, map } = require('internal/primordials');

const OPEN_MODE = 0o666;
const FOLDER_MODE = 0o777;

// A name in the encoding that the options ask for.
function named(name, options) {
  const encoding = typeof options === 'string' ? options : options?.encoding;
  if (!encoding || encoding === 'utf8' || encoding === 'utf-8') return name;
  const bytes = Buffer.from(name);
  return encoding === 'buffer' ? bytes : bytes.toString(encoding);
}

const ofPath = (call) => ({ needs: 1, work: (path) => [call, checkedPath(path)] });

const ofTwoPaths = (call, first, second) => ({
  needs: 2,
  work: (from, to) => [call, checkedPath(from, first), checkedPath(to, second)],
});

const ofDescriptor = (call) => ({ needs: 1, work: (fd) => [call, checkedDescriptor(fd)] });

const asStats = (numbers, given) => statsOf(numbers, given[1]);

function madeFolder(path, options) {
  const isMode = typeof options === 'number' || typeof options === 'string';
  const { recursive = false, mode = FOLDER_MODE } = isMode ? { mode: options } : options ?? {};
  path = checkedPath(path);
  checkBoolean(recursive, 'options.recursive');
  const bits = checkedMode(mode, 'mode');
  return recursive ? trees.makeAll(path, bits) : ['mkdir', path, bits];
}

function listed(path, options, list = trees.listAll) {
  options = checkedOptions(options);
  path = checkedPath(path);
  const { recursive, withFileTypes } = options;
  if (recursive !== undefined && recursive !== null) checkBoolean(recursive, 'options.recursive');
  if (!recursive) return ['scandir', path];
  return list(path, (name, type, folder, inner) => {
    return withFileTypes ? new Dirent(named(name, options), type, folder) : named(inner, options);
  });
}

function asNames(found, { 0: path, 1: options }) {
  if (options?.recursive) return found;
  return map(found, ({ 0: name, 1: type }) => {
    const shown = named(name, options);
    return options?.withFileTypes ? new Dirent(shown, type, checkedPath(path)) : shown;
  });
}

function removedFolder(path, options) {
  path = checkedPath(path);
  checkedRemoval(options);
  return options?.recursive ? trees.remove(path, options) : ['rmdir', path];
}

function linked(target, path, type) {
  target = checkedPath(target, 'target');
  path = checkedPath(path);
  if (typeof type === 'string' && !includes(['dir', 'file', 'junction'], type)) {
    throw new codes.ERR_FS_INVALID_SYMLINK_TYPE(type);
  }
  return ['symlink', target, path];
}

function opened(path, flags, mode) {
  path = checkedPath(path);
  const bits = checkedFlags(flags);
  return ['open', path, bits, checkedMode(mode, 'mode', OPEN_MODE)];
}

function copied(from, to, mode = 0) {
  from = checkedPath(from, 'src');
  to = checkedPath(to, 'dest');
  checkInteger(mode, 'mode', 0, 7);
  return ['copyfile', from, to, mode];
}

function checkedLength(length) {
  checkInteger(length, 'len');
  return Math.max(0, length);
}

function* truncated(path, length) {
  const fd = yield opened(path, 'r+');
  try {
    yield ['ftruncate', fd, length];
  } finally {
    yield ['close', fd];
  }
}

const calls = {
  access: {
    needs: 1, options: 1,
    work(path, mode = 0) {
      path = checkedPath(path);
      checkInteger(mode, 'mode', 0, 7);
      return ['access', path, mode];
    },
  },
  chmod: {
    needs: 2, work: (path, mode) => ['chmod', checkedPath(path), checkedMode(mode, 'mode')],
  },
  close: ofDescriptor('close'),
  copyFile: { needs: 2, options: 1, work: copied },
  fdatasync: ofDescriptor('fdatasync'),
  fstat: { ...ofDescriptor('fstat'), options: 1, answer: asStats },
  fsync: ofDescriptor('fsync'),
  ftruncate: {
    needs: 1, options: 1,
    work: (fd, length = 0) => ['ftruncate', checkedDescriptor(fd), checkedLength(length)],
  },
  link: ofTwoPaths('link', 'existingPath', 'newPath'),
  lstat: { ...ofPath('lstat'), options: 1, answer: asStats },
  mkdir: { needs: 1, options: 1, work: madeFolder },
  mkdtemp: {
    needs: 1, options: 1,
    work(prefix, options) {
      checkedOptions(options);
      return ['mkdtemp', checkedPath(prefix, 'prefix')];
    },
    answer: (name, given) => named(name, given[1]),
  },
  open: { needs: 1, options: 2, work: opened },
  readdir: { needs: 1, options: 1, work: listed, answer: asNames },
  readlink: {
    needs: 1, options: 1,
    work(path, options) {
      checkedOptions(options);
      return ['readlink', checkedPath(path, 'oldPath')];
    },
    answer: (name, given) => named(name, given[1]),
  },
  realpath: {
    needs: 1, options: 1,
    work(path, options) {
      checkedOptions(options);
      return trees.follow(checkedPath(path));
    },
    answer: (name, given) => named(name, given[1]),
  },
  rename: ofTwoPaths('rename', 'oldPath', 'newPath'),
  rm: {
    needs: 1, options: 1,
    work(path, options, part = trees.remove) {
      path = checkedPath(path);
      return part(path, checkedRemoval(options));
    },
  },
  rmdir: { needs: 1, options: 1, work: removedFolder },
  stat: { ...ofPath('stat'), options: 1, answer: asStats },
  symlink: { needs: 2, options: 1, work: linked },
  truncate: {
    needs: 1, options: 1,
    work: (path, length = 0) => truncated(path, checkedLength(length)),
  },
  unlink: ofPath('unlink'),
};

// `realpath` by one call of the system.
const nativeRealpath = {
  ...calls.realpath,
  work(path, options) {
    checkedOptions(options);
    return ['realpath', checkedPath(path)];
  },
};

module.exports = { calls, named, nativeRealpath };
