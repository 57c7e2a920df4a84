'use strict';
// `Stats`, `Dirent` and the constants of `fs`.
//
// Natives: none. `internal.stat` and its like give 18 numbers: those of `Stats` up to `blocks`,
// then seconds and nanoseconds of the times of access, change of content, change of state, and
// birth.

const { O } = require('internal/fs/check');
const { each, forEach, map } = require('internal/primordials');

const TYPES = {
  isDirectory: 0o040000, isFile: 0o100000, isBlockDevice: 0o060000, isCharacterDevice: 0o020000,
  isSymbolicLink: 0o120000, isFIFO: 0o010000, isSocket: 0o140000,
};
const TYPE_MASK = 0o170000;
const FIELDS = ['dev', 'mode', 'nlink', 'uid', 'gid', 'rdev', 'blksize', 'ino', 'size', 'blocks'];
const TIMES = ['atime', 'mtime', 'ctime', 'birthtime'];

function StatsBase() {}
for (const { 0: name, 1: bits } of each(Object.entries(TYPES))) {
  StatsBase.prototype[name] = function test() {
    return this._checkModeProperty(bits);
  };
}

function Stats(numbers) {
  forEach(FIELDS, (field, index) => {
    this[field] = numbers[index];
  });
  forEach(TIMES, (time, index) => {
    const at = 10 + 2 * index;
    this[`${time}Ms`] = numbers[at] * 1000 + numbers[at + 1] / 1e6;
  });
  for (const time of each(TIMES)) this[time] = new Date(Math.round(this[`${time}Ms`]));
}
Object.setPrototypeOf(Stats.prototype, StatsBase.prototype);
Object.setPrototypeOf(Stats, StatsBase);
Stats.prototype._checkModeProperty = function _checkModeProperty(bits) {
  return (this.mode & TYPE_MASK) === bits;
};

function BigIntStats(numbers) {
  forEach(FIELDS, (field, index) => {
    this[field] = BigInt(numbers[index]);
  });
  const ns = map(TIMES, (_, index) => {
    return BigInt(numbers[10 + 2 * index]) * 10n ** 9n + BigInt(numbers[11 + 2 * index]);
  });
  forEach(TIMES, (time, index) => {
    this[`${time}Ms`] = ns[index] / 10n ** 6n;
  });
  forEach(TIMES, (time, index) => {
    this[`${time}Ns`] = ns[index];
  });
  for (const time of each(TIMES)) this[time] = new Date(Number(this[`${time}Ms`]));
}
Object.setPrototypeOf(BigIntStats.prototype, StatsBase.prototype);
Object.setPrototypeOf(BigIntStats, StatsBase);
BigIntStats.prototype._checkModeProperty = function _checkModeProperty(bits) {
  return (this.mode & BigInt(TYPE_MASK)) === BigInt(bits);
};

const isRegular = (numbers) => (numbers[1] & TYPE_MASK) === TYPES.isFile;
const isDirectory = (numbers) => (numbers[1] & TYPE_MASK) === TYPES.isDirectory;
const isLink = (numbers) => (numbers[1] & TYPE_MASK) === TYPES.isSymbolicLink;
const SIZE = 8;
const sizeOf = (numbers) => (isRegular(numbers) ? numbers[SIZE] : 0);

const statsOf = (numbers, options) => {
  return options?.bigint ? new BigIntStats(numbers) : new Stats(numbers);
};

// The kinds of what stands in a directory, numbered from 1.
const KINDS = ['isFile', 'isDirectory', 'isSymbolicLink', 'isFIFO', 'isSocket',
  'isCharacterDevice', 'isBlockDevice'];
const kType = Symbol('type');

class Dirent {
  constructor(name, type, path) {
    this.name = name;
    this.parentPath = path;
    this.path = path;
    this[kType] = type;
  }
}
forEach(KINDS, (name, index) => {
  Dirent.prototype[name] = function test() {
    return this[kType] === index + 1;
  };
});

const constants = Object.assign(Object.create(null), {
  UV_FS_SYMLINK_DIR: 1, UV_FS_SYMLINK_JUNCTION: 2, O_RDONLY: O.RDONLY, O_WRONLY: O.WRONLY,
  O_RDWR: O.RDWR, UV_DIRENT_UNKNOWN: 0, UV_DIRENT_FILE: 1, UV_DIRENT_DIR: 2, UV_DIRENT_LINK: 3,
  UV_DIRENT_FIFO: 4, UV_DIRENT_SOCKET: 5, UV_DIRENT_CHAR: 6, UV_DIRENT_BLOCK: 7,
  EXTENSIONLESS_FORMAT_JAVASCRIPT: 0, EXTENSIONLESS_FORMAT_WASM: 1, S_IFMT: TYPE_MASK,
  S_IFREG: 0o100000, S_IFDIR: 0o040000, S_IFCHR: 0o020000, S_IFBLK: 0o060000, S_IFIFO: 0o010000,
  S_IFLNK: 0o120000, S_IFSOCK: 0o140000, O_CREAT: O.CREAT, O_EXCL: O.EXCL,
  UV_FS_O_FILEMAP: 0, O_NOCTTY: 0o400, O_TRUNC: O.TRUNC, O_APPEND: O.APPEND,
  O_DIRECTORY: 0o200000, O_NOATIME: 0o1000000, O_NOFOLLOW: 0o400000, O_SYNC: O.SYNC,
  O_DSYNC: 0o10000, O_DIRECT: 0o40000, O_NONBLOCK: 0o4000, S_IRWXU: 0o700, S_IRUSR: 0o400,
  S_IWUSR: 0o200, S_IXUSR: 0o100, S_IRWXG: 0o70, S_IRGRP: 0o40, S_IWGRP: 0o20, S_IXGRP: 0o10,
  S_IRWXO: 7, S_IROTH: 4, S_IWOTH: 2, S_IXOTH: 1, F_OK: 0, R_OK: 4, W_OK: 2, X_OK: 1,
  UV_FS_COPYFILE_EXCL: 1, COPYFILE_EXCL: 1, UV_FS_COPYFILE_FICLONE: 2, COPYFILE_FICLONE: 2,
  UV_FS_COPYFILE_FICLONE_FORCE: 4, COPYFILE_FICLONE_FORCE: 4,
});

module.exports = { Dirent, Stats, constants, isDirectory, isLink, sizeOf, statsOf };
