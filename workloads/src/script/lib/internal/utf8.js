'use strict';
// What the natives can't tell of UTF-8: whether bytes are valid, and where an unfinished
// character begins at the end of a piece.
//
// Cost: one step in the script a byte, except `encode` and `decode`, which are native.
//
// Natives: `utf8Encode(string) -> Uint8Array`, given no lone surrogates;
// `utf8Decode(Uint8Array) -> string`, with U+FFFD for what is invalid, as many as the web's
// decoder writes, and a byte order mark kept.

const { toWellFormed } = require('internal/primordials');

const encode = (string) => new Uint8Array(internal.utf8Encode(toWellFormed(string)));
const decode = (bytes) => internal.utf8Decode(bytes);

// How many bytes a character has that begins with this one; 0 where none does.
function lengthBy(first) {
  if (first < 0x80) return 1;
  if (first < 0xc2 || first > 0xf4) return 0;
  if (first < 0xe0) return 2;
  return first < 0xf0 ? 3 : 4;
}

// Whether `second` may follow `first`: no overlong forms, no surrogates, nothing past U+10FFFF.
function mayFollow(first, second) {
  const low = first === 0xe0 ? 0xa0 : first === 0xf0 ? 0x90 : 0x80;
  const high = first === 0xed ? 0x9f : first === 0xf4 ? 0x8f : 0xbf;
  return second >= low && second <= high;
}

// How many of the bytes from `at` on belong to one character, at most up to its own length.
function follow(bytes, at) {
  const length = lengthBy(bytes[at]);
  if (length < 2) return length;
  let count = 1;
  if (at + 1 >= bytes.length || !mayFollow(bytes[at], bytes[at + 1])) return count;
  count++;
  while (count < length && (bytes[at + count] & 0xc0) === 0x80) count++;
  return count;
}

function isValid(bytes) {
  let at = 0;
  while (at < bytes.length) {
    const length = lengthBy(bytes[at]);
    if (length === 0 || follow(bytes, at) !== length) return false;
    at += length;
  }
  return true;
}

// The number of bytes at the end which begin a character that more bytes could finish.
function unfinished(bytes) {
  const most = Math.min(3, bytes.length);
  for (let count = 1; count <= most; count++) {
    const at = bytes.length - count;
    if ((bytes[at] & 0xc0) === 0x80) continue;
    return lengthBy(bytes[at]) > count && follow(bytes, at) === count ? count : 0;
  }
  return 0;
}

module.exports = { decode, encode, isValid, unfinished };
