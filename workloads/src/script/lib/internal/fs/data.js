'use strict';
// `read` and `write` of `fs` on a descriptor, in their two ways: with a callback and at once.
//
// internal.read(fd, bytes, position or -1) -> Uint8Array, internal.write(fd, bytes, position or
// -1) -> how many.

const { Buffer } = require('buffer');
const { codes } = require('internal/errors');
const { checkInteger, checkOptions } = require('internal/checks');
const { checkReadRange, checkText, checkView, checkWriteRange, checkedCallback,
  checkedDescriptor, checkedPosition } = require('internal/fs/check');
const { run, runSync } = require('internal/fs/steps');
const { nextTick } = require('internal/task_queues');
const { bytesSet, findIndex, slice } = require('internal/primordials');

const READ_DEFAULT = 16384;

const isOptions = (value) => typeof value === 'object' && value !== null;

// Copies what was read. Returns how much that was.
function put(bytes, buffer, offset) {
  const whole = new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength);
  bytesSet(whole, bytes, offset);
  return bytes.byteLength;
}

// The arguments of a read, whichever way they were given.
function readPlace(buffer, offset, length, position) {
  if (isOptions(offset)) {
    ({ offset = 0, length = buffer.byteLength - offset, position = null } = offset);
  }
  checkView(buffer);
  offset ??= 0;
  checkInteger(offset, 'offset', 0);
  length = length === undefined ? buffer.byteLength - offset : length | 0;
  if (length === 0) return { offset, length, position: -1 };
  checkReadRange(buffer, offset, length);
  return { offset, length, position: checkedPosition(position) };
}

function readArguments(args) {
  if (args.length >= 5) return args;
  if (args.length === 4) {
    if (args[2] !== null && args[2] !== undefined) checkOptions(args[2], 'options');
    return [args[0], args[1], args[2], undefined, undefined, args[3]];
  }
  let { 0: fd, 1: buffer, 2: callback } = args;
  let options;
  if (args.length === 2) {
    callback = buffer;
    buffer = undefined;
  }
  if (!ArrayBuffer.isView(buffer)) {
    if (buffer !== undefined && buffer !== null) checkOptions(buffer, 'options');
    options = buffer ?? {};
    buffer = options.buffer ?? Buffer.alloc(READ_DEFAULT);
  }
  return [fd, buffer, options, undefined, undefined, callback];
}

function read(...args) {
  let { 0: fd, 1: buffer, 2: offset, 3: length, 4: position, 5: callback } = readArguments(args);
  fd = checkedDescriptor(fd);
  checkView(buffer);
  checkedCallback(callback);
  const place = readPlace(buffer, offset, length, position);
  if (place.length === 0) {
    nextTick(callback, null, 0, buffer);
    return;
  }
  run(['read', fd, place.length, place.position], (error, bytes) => {
    callback(error, error ? 0 : put(bytes, buffer, place.offset), buffer);
  });
}

function readSync(fd, buffer, offset, length, position) {
  fd = checkedDescriptor(fd);
  checkView(buffer);
  const place = readPlace(buffer, offset, length, position);
  if (place.length === 0) return 0;
  return put(runSync(['read', fd, place.length, place.position]), buffer, place.offset);
}

// What is written, of a view or of a text, and where.
function writePlace(data, offset, length, position) {
  if (!ArrayBuffer.isView(data)) {
    checkText(data, 'buffer');
    const encoding = length || 'utf8';
    if (!Buffer.isEncoding(encoding)) throw new codes.ERR_UNKNOWN_ENCODING(encoding);
    return { bytes: Buffer.from(data, encoding), position: asPosition(offset) };
  }
  if (isOptions(offset)) {
    ({ offset = 0, length = data.byteLength - offset, position = null } = offset);
  }
  offset ??= 0;
  checkInteger(offset, 'offset', 0);
  if (typeof length !== 'number') length = data.byteLength - offset;
  checkWriteRange(data, offset, length);
  const bytes = new Uint8Array(data.buffer, data.byteOffset + offset, length);
  return { bytes, position: asPosition(position) };
}

const asPosition = (position) => (typeof position === 'number' ? position : -1);

function write(fd, data, ...rest) {
  fd = checkedDescriptor(fd);
  const at = findIndex(rest, (value) => typeof value === 'function');
  const { 0: offset, 1: length, 2: position } = at === -1 ? rest : slice(rest, 0, at);
  if (!ArrayBuffer.isView(data)) checkText(data, 'buffer');
  const callback = checkedCallback(at === -1 ? rest[3] : rest[at]);
  const place = writePlace(data, offset, length, position);
  run(['write', fd, place.bytes, place.position], (error, written) => {
    callback(error, error ? 0 : written, data);
  });
}

function writeSync(fd, data, offset, length, position) {
  fd = checkedDescriptor(fd);
  const place = writePlace(data, offset, length, position);
  try {
    return runSync(['write', fd, place.bytes, place.position]);
  } catch (error) {
    // Of all of Node's calls, this one alone puts the code behind the name of the call.
    const { code } = error;
    delete error.code;
    error.code = code;
    throw error;
  }
}

module.exports = { put, read, readPlace, readSync, write, writePlace, writeSync };
