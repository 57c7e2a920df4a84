'use strict';
// The encodings of `Buffer`: strings to bytes and back, as lenient as Node's.
//
// Cost: utf8 is native; the others take a step in the script a byte.
//
// Natives: those of `internal/utf8`.

const utf8 = require('internal/utf8');
const {
  bytesFill, bytesSubarray, charCodeAt, each, padStart, slice, toHex, toLowerCase,
} = require('internal/primordials');

const STANDARD = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
const URL_SAFE = `${slice(STANDARD, 0, 62)}-_`;
const NO_DIGIT = 64;
const HEX = Array.from({ length: 256 }, (_, byte) => padStart(toHex(byte), 2, '0'));

// Both alphabets decode by one table, whichever name the encoding was given.
const digitOf = bytesFill(new Uint8Array(128), NO_DIGIT);
for (const alphabet of each([STANDARD, URL_SAFE])) {
  for (let i = 0; i < 64; i++) digitOf[charCodeAt(alphabet, i)] = i;
}

// A call has a bounded number of arguments, so codes become strings piece by piece.
const PIECE = 4096;

function fromCodes(codes) {
  if (codes.length <= PIECE) return Reflect.apply(String.fromCharCode, null, codes);
  let text = '';
  for (let at = 0; at < codes.length; at += PIECE) {
    text += Reflect.apply(String.fromCharCode, null, bytesSubarray(codes, at, at + PIECE));
  }
  return text;
}

function bytesOf(string) {
  const bytes = new Uint8Array(string.length);
  for (let i = 0; i < string.length; i++) bytes[i] = charCodeAt(string, i);
  return bytes;
}

function utf16Decode(bytes) {
  const codes = new Uint16Array(bytes.length >>> 1);
  for (let i = 0; i < codes.length; i++) codes[i] = bytes[2 * i] | (bytes[2 * i + 1] << 8);
  return fromCodes(codes);
}

function utf16Encode(string) {
  const bytes = new Uint8Array(string.length * 2);
  for (let i = 0; i < string.length; i++) {
    const code = charCodeAt(string, i);
    bytes[2 * i] = code;
    bytes[2 * i + 1] = code >>> 8;
  }
  return bytes;
}

function hexDecode(bytes) {
  let text = '';
  for (let i = 0; i < bytes.length; i++) text += HEX[bytes[i]];
  return text;
}

function hexDigit(code) {
  if (code >= 48 && code <= 57) return code - 48;
  const lower = code | 32;
  return code < 128 && lower >= 97 && lower <= 102 ? lower - 87 : -1;
}

// Ends before the first pair that is no byte.
function hexEncode(string) {
  const bytes = new Uint8Array(string.length >>> 1);
  for (let i = 0; i < bytes.length; i++) {
    const high = hexDigit(charCodeAt(string, 2 * i));
    const low = hexDigit(charCodeAt(string, 2 * i + 1));
    if (high < 0 || low < 0) return bytesSubarray(bytes, 0, i);
    bytes[i] = high * 16 + low;
  }
  return bytes;
}

function toBase64(bytes, alphabet, pad) {
  const whole = bytes.length - (bytes.length % 3);
  let text = '';
  for (let i = 0; i < whole; i += 3) {
    const bits = (bytes[i] << 16) | (bytes[i + 1] << 8) | bytes[i + 2];
    text += alphabet[bits >>> 18] + alphabet[(bits >>> 12) & 63] +
      alphabet[(bits >>> 6) & 63] + alphabet[bits & 63];
  }
  const first = bytes[whole];
  const second = bytes[whole + 1];
  if (bytes.length - whole === 1) {
    return text + alphabet[first >>> 2] + alphabet[(first & 3) << 4] + (pad ? '==' : '');
  }
  if (bytes.length - whole === 2) {
    return text + alphabet[first >>> 2] + alphabet[((first & 3) << 4) | (second >>> 4)] +
      alphabet[(second & 15) << 2] + (pad ? '=' : '');
  }
  return text;
}

// Skips what is no digit, and ends at the first '='. Of wide characters, as in Node, the low byte
// is what counts.
function base64Encode(string) {
  const bytes = new Uint8Array(Math.ceil(string.length * 3 / 4));
  let length = 0;
  let bits = 0;
  let digits = 0;
  for (let i = 0; i < string.length; i++) {
    const code = charCodeAt(string, i) & 255;
    if (code === 61) break;
    const digit = code < 128 ? digitOf[code] : NO_DIGIT;
    if (digit === NO_DIGIT) continue;
    bits = ((bits & 0x3fff) << 6) | digit;
    if (digits % 4 !== 0) bytes[length++] = bits >>> (6 - 2 * (digits % 4));
    digits++;
  }
  return bytesSubarray(bytes, 0, length);
}

function base64Length(string) {
  let length = string.length;
  if (charCodeAt(string, length - 1) === 61) length--;
  if (length > 1 && charCodeAt(string, length - 1) === 61) length--;
  return Math.floor(length * 3 / 4);
}

// `length` is what `Buffer.byteLength` tells, which may be more than `encode` makes. `unit` is
// how many bytes stay together when there is no room for all.
const ENCODINGS = {
  utf8: {
    name: 'utf8', unit: 0, encode: utf8.encode, decode: utf8.decode,
    length: (string) => utf8.encode(string).length,
  },
  utf16le: {
    name: 'utf16le', unit: 2, encode: utf16Encode, decode: utf16Decode,
    length: (string) => string.length * 2,
  },
  latin1: {
    name: 'latin1', unit: 1, encode: bytesOf, decode: fromCodes,
    length: (string) => string.length,
  },
  ascii: {
    name: 'ascii', unit: 1, encode: bytesOf,
    decode: (bytes) => fromCodes(bytes.map((byte) => byte & 127)),
    length: (string) => string.length,
  },
  hex: {
    name: 'hex', unit: 1, encode: hexEncode, decode: hexDecode,
    length: (string) => string.length >>> 1,
  },
  base64: {
    name: 'base64', unit: 1, encode: base64Encode,
    decode: (bytes) => toBase64(bytes, STANDARD, true), length: base64Length,
  },
  base64url: {
    name: 'base64url', unit: 1, encode: base64Encode,
    decode: (bytes) => toBase64(bytes, URL_SAFE, false), length: base64Length,
  },
};

const ALIASES = {
  '__proto__': null,
  'utf8': 'utf8', 'utf-8': 'utf8',
  'ucs2': 'utf16le', 'ucs-2': 'utf16le', 'utf16le': 'utf16le', 'utf-16le': 'utf16le',
  'latin1': 'latin1', 'binary': 'latin1',
  'ascii': 'ascii', 'hex': 'hex', 'base64': 'base64', 'base64url': 'base64url',
};

// The encoding of this name, in any case of letters; undefined where there is none.
function find(name) {
  return ENCODINGS[ALIASES[toLowerCase(`${name}`)]];
}

// How many of the bytes can be written into `room` without parting a character.
function fitting(encoding, bytes, room) {
  if (bytes.length <= room) return bytes.length;
  if (encoding.unit > 0) return room - (room % encoding.unit);
  let end = room;
  while (end > 0 && (bytes[end] & 0xc0) === 0x80) end--;
  return end;
}

module.exports = { ENCODINGS, find, fitting };
