'use strict';
// Node's `querystring`.
//
// Natives: those of `internal/utf8`.

const { Buffer } = require('buffer');
const {
  bytesSubarray, charCodeAt, each, indexOf, join, push, replaceAll, slice, split, test,
} = require('internal/primordials');

const PAIRS_MAX = 1000;

function escape(value) {
  const text = typeof value === 'string' ? value : typeof value === 'object' ?
    String(value) : `${value}`;
  try {
    return encodeURIComponent(text);
  } catch {
    const error = new URIError('URI malformed');
    error.code = 'ERR_INVALID_URI';
    throw error;
  }
}

// Bytes that are no `%XX` stay as they are; characters keep their low byte.
function unescapeBuffer(text, decodeSpaces) {
  const bytes = Buffer.alloc(text.length);
  let length = 0;
  for (let i = 0; i < text.length; i++) {
    const digits = text[i] === '%' ? slice(text, i + 1, i + 3) : '';
    const isByte = test(/^[0-9a-fA-F]{2}$/, digits);
    const plain = text[i] === '+' && decodeSpaces ? 32 : charCodeAt(text, i);
    bytes[length++] = isByte ? parseInt(digits, 16) : plain;
    if (isByte) i += 2;
  }
  return bytesSubarray(bytes, 0, length);
}

function unescape(text, decodeSpaces) {
  try {
    return decodeURIComponent(text);
  } catch {
    return module.exports.unescapeBuffer(text, decodeSpaces).toString();
  }
}

function primitive(value) {
  if (typeof value === 'string') return value;
  const isNumber = typeof value === 'number' && Number.isFinite(value);
  return isNumber || typeof value === 'bigint' || typeof value === 'boolean' ? `${value}` : '';
}

function stringify(object, separator, equals, options) {
  if (object === null || typeof object !== 'object') return '';
  const encode = options?.encodeURIComponent;
  const convert = typeof encode === 'function' ? encode : module.exports.escape;
  const fields = [];
  for (const key of each(Object.keys(object))) {
    const values = Array.isArray(object[key]) ? object[key] : [object[key]];
    const name = convert(primitive(key)) + (equals || '=');
    for (const value of each(values)) push(fields, name + convert(primitive(value)));
  }
  return join(fields, separator || '&');
}

function parse(query, separator, equals, options) {
  const object = { __proto__: null };
  if (typeof query !== 'string' || query.length === 0) return object;
  const mark = String(equals || '=');
  const given = options?.maxKeys;
  let most = typeof given === 'number' ? given : PAIRS_MAX;
  if (!(most > 0)) most = Infinity;
  const custom = options?.decodeURIComponent;
  const decode = typeof custom === 'function' ? custom : module.exports.unescape;
  const isOwn = decode === unescape;
  const decoded = (text) => {
    const spaced = replaceAll(text, '+', isOwn ? ' ' : '%20');
    if (spaced === '' || (isOwn && !test(/%[0-9a-fA-F]{2}/, spaced))) return spaced;
    try {
      return decode(spaced);
    } catch {
      return module.exports.unescape(spaced, true);
    }
  };
  for (const part of each(slice(split(query, String(separator || '&')), 0, most))) {
    if (part === '') continue;
    const at = indexOf(part, mark);
    const key = decoded(at < 0 ? part : slice(part, 0, at));
    const value = at < 0 ? '' : decoded(slice(part, at + mark.length));
    if (object[key] === undefined) object[key] = value;
    else if (Array.isArray(object[key])) push(object[key], value);
    else object[key] = [object[key], value];
  }
  return object;
}

module.exports = { decode: parse, encode: stringify, escape, parse, stringify, unescape,
  unescapeBuffer };
