'use strict';
// Whole files, as steps (`internal/fs/steps`): what is read, and written, in as many calls as
// Node's functions with a callback take. Reading: open, fstat, a read for each half MiB, close.
// Writing: open, a write, close.
//
// Natives: none but the calls of `internal/fs/steps`.

const { Buffer } = require('buffer');
const { checkedFlags, checkedMode, checkedPath, isDescriptor } = require('internal/fs/check');
const { sizeOf } = require('internal/fs/stats');
const { bytesSubarray, push } = require('internal/primordials');

const READ_MAX = 512 * 1024;
const READ_UNKNOWN = 64 * 1024; // where the size is not known before
const SYNC_UNKNOWN = 8 * 1024;
const OPEN_MODE = 0o666;

function checkAborted(signal) {
  if (!signal?.aborted) return;
  const { AbortError } = require('internal/errors');
  throw new AbortError(undefined, { cause: signal.reason });
}

function openCall(path, flag, mode) {
  path = checkedPath(path);
  return ['open', path, flag, checkedMode(mode, 'mode', OPEN_MODE)];
}

function* closeOwn(fd, isOwn) {
  yield isOwn ? ['close', fd] : ['tick'];
}

const over = (bytes) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);

// All bytes from where the descriptor stands.
function* readAll(fd, size, unknown, signal) {
  const chunks = [];
  let total = 0;
  for (;;) {
    checkAborted(signal);
    const asked = size === 0 ? unknown : Math.min(READ_MAX, size - total);
    const bytes = over(yield ['read', fd, asked, -1]);
    total += bytes.length;
    if (bytes.length > 0) push(chunks, bytes);
    if (total === size || bytes.length === 0) break;
  }
  return chunks.length === 1 ? chunks[0] : Buffer.concat(chunks, total);
}

// Does something with a file that is open, and closes it, however that ends.
function* whileOpen(fd, isOwn, work) {
  let result;
  try {
    result = yield* work;
  } catch (error) {
    yield* closeOwn(fd, isOwn);
    throw error;
  }
  yield* closeOwn(fd, isOwn);
  return result;
}

function* sizedRead(fd, signal) {
  return yield* readAll(fd, sizeOf(yield ['fstat', fd]), READ_UNKNOWN, signal);
}

const decoded = (bytes, encoding) => {
  return encoding && encoding !== 'buffer' ? bytes.toString(encoding) : bytes;
};

function* reading(open, fd, options) {
  if (open === undefined) yield ['tick'];
  else fd = yield open;
  const bytes = yield* whileOpen(fd, open !== undefined, sizedRead(fd, options.signal));
  return decoded(bytes, options.encoding);
}

// `readFile`. What is wrong with the arguments is thrown here.
function read(path, options) {
  if (isDescriptor(path)) return reading(undefined, path, options);
  return reading(openCall(path, checkedFlags(options.flag, 'options.flag')), -1, options);
}

const isUtf8 = (encoding) => encoding === 'utf8' || encoding === 'utf-8';

function* plainRead(fd) {
  return yield* readAll(fd, 0, SYNC_UNKNOWN);
}

// `readFileSync`. Text in UTF-8 is read without asking for the size, as Node does.
function* readSync(path, options) {
  const isOwn = !isDescriptor(path);
  const fd = isOwn ? yield openCall(path, checkedFlags(options.flag)) : path;
  const work = isUtf8(options.encoding) ? plainRead(fd) : sizedRead(fd);
  return decoded(yield* whileOpen(fd, isOwn, work), options.encoding);
}

function* writeAll(fd, bytes, flush, signal) {
  let at = 0;
  do {
    checkAborted(signal);
    at += yield ['write', fd, bytesSubarray(bytes, at), -1];
  } while (at < bytes.length);
  if (flush) yield ['fsync', fd];
}

function* writing(open, fd, bytes, { flush, signal }) {
  if (open === undefined) return yield* writeAll(fd, bytes, flush, signal);
  fd = yield open;
  return yield* whileOpen(fd, true, writeAll(fd, bytes, flush, signal));
}

// `writeFile`. What is wrong with the arguments is thrown here.
function write(path, bytes, options) {
  if (isDescriptor(path)) return writing(undefined, path, bytes, options);
  const open = openCall(path, checkedFlags(options.flag || 'w'), options.mode);
  return writing(open, -1, bytes, options);
}

module.exports = { checkAborted, read, readSync, write };
