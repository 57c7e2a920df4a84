'use strict';
// Comparing and searching bytes, for `Buffer`.
//
// Natives: none.

const { bytesSubarray } = require('internal/primordials');

// -1, 0 or 1, as bytes stand in order.
function compare(a, b) {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    if (a[i] !== b[i]) return a[i] < b[i] ? -1 : 1;
  }
  return Math.sign(a.length - b.length);
}

// Where the search begins; below 0 where it can find nothing.
function begin(length, offset, needleLength, forward) {
  if (offset < 0) {
    if (offset + length >= 0) return length + offset;
    return forward || needleLength === 0 ? 0 : -1;
  }
  if (offset + needleLength <= length) return offset;
  if (needleLength === 0) return length;
  return forward ? -1 : length - 1;
}

function isAt(bytes, at, needle) {
  for (let i = 0; i < needle.length; i++) {
    if (bytes[at + i] !== needle[i]) return false;
  }
  return true;
}

// The place of `needle` in `bytes`, from `offset` on forwards or backwards. With a `unit` of 2
// only whole code units are compared.
function indexOf(bytes, needle, offset, forward, unit) {
  // The sum makes a 0 of -0.
  const start = begin(bytes.length, Math.trunc(offset) + 0, needle.length, forward);
  if (needle.length === 0) return start;
  if (start < 0 || needle.length > bytes.length) return -1;
  if (unit === 2 && (bytes.length < 2 || needle.length < 2)) return -1;
  const sought = unit === 2 ? bytesSubarray(needle, 0, needle.length & ~1) : needle;
  const last = (unit === 2 ? bytes.length & ~1 : bytes.length) - sought.length;
  const step = forward ? unit : -unit;
  let at = unit === 2 ? start & ~1 : start;
  if (!forward && at > last) at = last;
  for (; at >= 0 && at <= last; at += step) {
    if (bytes[at] === sought[0] && isAt(bytes, at, sought)) return at;
  }
  return -1;
}

module.exports = { compare, indexOf };
