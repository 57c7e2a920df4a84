'use strict';
// The module `fs/promises`: each call of the system goes through the pool and settles its promise
// in the poll phase; what then has to be awaited is as many jobs away as in Node.
//
// Left out: streams and watchers.
//
// Natives: the calls of `internal/fs/steps`.

const { Buffer } = require('buffer');
const EventEmitter = require('events');
const { checkBoolean } = require('internal/checks');
const { calls, nativeRealpath } = require('internal/fs/calls');
const { checkedData, checkedOptions } = require('internal/fs/check');
const { put, readPlace, writePlace } = require('internal/fs/data');
const { constants, sizeOf } = require('internal/fs/stats');
const { promised } = require('internal/fs/steps');
const { bytesSubarray, concat, each, lastly, push, then } = require('internal/primordials');
const { listDeep, lookAt, removeAll } = require('internal/fs/trees');
const { checkAborted } = require('internal/fs/whole');

const READ_MAX = 512 * 1024;
const READ_UNKNOWN = 64 * 1024;
const WRITE_MAX = 512 * 1024;
const READ_DEFAULT = 16384;

// One call, two jobs away, and four where it fails: Node puts its own stack on errors between, and
// rejects a promise with them.
const called = (work) => {
  return then(promised(work), undefined, (error) => Promise.reject(error));
};

const kRefs = Symbol('refs');
const kFd = Symbol('fd');
const kClosing = Symbol('closing');
const kSettle = Symbol('settle');

class FileHandle extends EventEmitter {
  constructor(fd) {
    super();
    this[kFd] = fd;
    this[kRefs] = 1;
    this[kClosing] = undefined;
  }

  get fd() {
    return this[kFd];
  }

  appendFile(content, options) {
    return onHandle(writeFile, this, content, options);
  }

  datasync() {
    return onHandle(fdatasync, this);
  }

  sync() {
    return onHandle(fsync, this);
  }

  read(buffer, offset, length, position) {
    return onHandle(read, this, buffer, offset, length, position);
  }

  readFile(options) {
    return onHandle(readFile, this, options);
  }

  stat(options) {
    return onHandle(fstat, this, options);
  }

  truncate(length = 0) {
    return onHandle(ftruncate, this, length);
  }

  write(buffer, offset, length, position) {
    return onHandle(write, this, buffer, offset, length, position);
  }

  writeFile(content, options) {
    return onHandle(writeFile, this, content, options);
  }

  close = () => {
    if (this[kFd] === -1) return Promise.resolve();
    if (this[kClosing]) return this[kClosing];
    const isFree = --this[kRefs] === 0;
    const closed = isFree ? shut(this) : new Promise((resolve, reject) => {
      this[kSettle] = { resolve, reject };
    });
    this[kClosing] = copied(lastly(copied(closed), () => {
      this[kClosing] = undefined;
      this[kSettle] = undefined;
    }));
    this.emit('close');
    return this[kClosing];
  };
}
if (Symbol.asyncDispose) {
  FileHandle.prototype[Symbol.asyncDispose] = async function dispose() {
    return this.close();
  };
}

// A promise that follows another: as Node keeps what scripts may have changed away from its own,
// which takes a job.
function copied(promise) {
  return new Promise((resolve, reject) => {
    then(promise, resolve, reject);
  });
}

function shut(handle) {
  const fd = handle[kFd];
  handle[kFd] = -1;
  return promised(['close', fd]);
}

// A call on a handle, which stays open until it has ended.
async function onHandle(call, handle, ...args) {
  if (handle.fd === -1) {
    throw Object.assign(new Error('file closed'), { code: 'EBADF', syscall: call.name });
  }
  try {
    handle[kRefs]++;
    return await Reflect.apply(call, undefined, concat([handle], args));
  } finally {
    handle[kRefs]--;
    if (handle[kRefs] === 0) then(shut(handle), handle[kSettle].resolve, handle[kSettle].reject);
  }
}

// Closes behind an operation, however that ends.
async function closing(operation, handle) {
  return then(
    operation,
    (result) => then(handle.close(), () => result),
    (error) => then(handle.close(), () => Promise.reject(error)),
  );
}

async function flushing(written, handle) {
  return then(written, (result) => then(handle.sync(), () => result));
}

async function open(path, flags, mode) {
  return new FileHandle(await called(calls.open.work(path, flags, mode)));
}

async function fstat(handle, options) {
  const { work, answer } = calls.fstat;
  return answer(await called(work(handle.fd)), [handle, options]);
}

async function ftruncate(handle, length = 0) {
  return await called(calls.ftruncate.work(handle.fd, length));
}

async function fsync(handle) {
  return await called(['fsync', handle.fd]);
}

async function fdatasync(handle) {
  return await called(['fdatasync', handle.fd]);
}

async function read(handle, buffer, offset, length, position) {
  if (!ArrayBuffer.isView(buffer)) {
    const options = buffer ?? {};
    buffer = options.buffer ?? Buffer.alloc(READ_DEFAULT);
    offset = options;
  }
  const place = readPlace(buffer, offset, length ?? undefined, position);
  if (place.length === 0) return { __proto__: null, bytesRead: 0, buffer };
  const bytes = await called(['read', handle.fd, place.length, place.position]);
  return { __proto__: null, bytesRead: put(bytes, buffer, place.offset), buffer };
}

async function write(handle, buffer, offset, length, position) {
  if (buffer?.byteLength === 0) return { __proto__: null, bytesWritten: 0, buffer };
  const place = writePlace(buffer, offset, length, position);
  const bytesWritten = await called(['write', handle.fd, place.bytes, place.position]);
  return { __proto__: null, bytesWritten, buffer };
}

async function readHandle(handle, { signal, encoding }) {
  checkAborted(signal);
  const size = sizeOf(await called(['fstat', handle.fd]));
  checkAborted(signal);
  // Text is read half a MiB at a time, bytes too once there are more of them.
  const chunks = [];
  let total = 0;
  for (;;) {
    checkAborted(signal);
    const left = size === 0 ? READ_UNKNOWN : Math.min(READ_MAX, size - total);
    const { buffer, byteOffset, byteLength } = await called(['read', handle.fd, left, -1]);
    const bytes = Buffer.from(buffer, byteOffset, byteLength);
    total += bytes.length;
    push(chunks, bytes);
    const isShort = bytes.length < left && size > 0 && size <= READ_MAX;
    if (bytes.length === 0 || total === size || isShort) break;
  }
  const all = chunks.length === 1 ? chunks[0] : Buffer.concat(chunks, total);
  return encoding && encoding !== 'buffer' ? all.toString(encoding) : all;
}

async function readFile(path, options) {
  options = checkedOptions(options, { flag: 'r' });
  if (path instanceof FileHandle) return readHandle(path, options);
  checkAborted(options.signal);
  const handle = await open(path, options.flag || 'r', 0o666);
  return closing(readHandle(handle, options), handle);
}

const isIterable = (content) => {
  return typeof content !== 'string' && !ArrayBuffer.isView(content) &&
    Boolean(content?.[Symbol.asyncIterator] ?? content?.[Symbol.iterator]);
};

async function writePart(handle, bytes, at) {
  const length = Math.min(WRITE_MAX, bytes.byteLength - at);
  return at + (await called(['write', handle.fd, bytesSubarray(bytes, at, at + length), -1]));
}

async function writeHandle(handle, content, { signal, encoding }) {
  checkAborted(signal);
  if (isIterable(content)) {
    for await (const part of content) {
      checkAborted(signal);
      const bytes = checkedData(part, encoding);
      for (let at = 0; at < bytes.byteLength; checkAborted(signal)) {
        at = await writePart(handle, bytes, at);
      }
    }
    return;
  }
  for (let at = 0; at < content.byteLength;) {
    checkAborted(signal);
    at = await writePart(handle, content, at);
  }
}

const WRITING = { encoding: 'utf8', mode: 0o666, flag: 'w', flush: false };
const APPENDING = { encoding: 'utf8', mode: 0o666, flag: 'a' };

async function writeFile(path, content, options) {
  options = checkedOptions(options, WRITING);
  const flush = options.flush ?? false;
  checkBoolean(flush, 'options.flush');
  if (!isIterable(content)) content = checkedData(content, options.encoding);
  if (path instanceof FileHandle) return writeHandle(path, content, options);
  checkAborted(options.signal);
  const handle = await open(path, options.flag || 'w', options.mode);
  const written = writeHandle(handle, content, options);
  return closing(flush ? flushing(written, handle) : written, handle);
}

async function appendFile(path, content, options) {
  options = { ...checkedOptions(options, APPENDING) };
  options.flag ||= 'a';
  return writeFile(path, content, options);
}

async function truncate(path, length = 0) {
  const handle = await open(path, 'r+');
  return closing(ftruncate(handle, length), handle);
}

function promiseForm(name, { work, answer }) {
  return { async [name](...args) {
    const value = await called(Reflect.apply(work, undefined, args));
    return answer ? answer(value, args) : value;
  } }[name];
}

async function walked(work) {
  let step = work.next();
  while (!step.done) step = work.next(await called(step.value));
  return step.value;
}

async function readdir(path, options) {
  const work = calls.readdir.work(path, options, listDeep);
  if (options?.recursive) return walked(work);
  const names = calls.readdir.answer(await called(work), [path, options]);
  // The types of entries come by another promise.
  return options?.withFileTypes ? Promise.resolve(names) : names;
}

async function rm(path, options) {
  await promised(calls.rm.work(path, options, lookAt));
  return promised(calls.rm.work(path, options, removeAll));
}

const promises = module.exports;
for (const name of each(['access', 'chmod', 'copyFile', 'link', 'lstat', 'mkdir', 'mkdtemp',
  'readlink', 'rename', 'rmdir', 'stat', 'symlink', 'unlink'])) {
  promises[name] = promiseForm(name, calls[name]);
}
Object.assign(promises, {
  appendFile, constants, open, readFile, readdir, realpath: promiseForm('realpath', nativeRealpath),
  rm, truncate, writeFile,
});
