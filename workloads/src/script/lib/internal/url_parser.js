'use strict';
// Parses a URL as the WHATWG's standard does, into a plain record.
//
// A record has `scheme`, `username`, `password`, `host` (null where there is none), `port` (null
// for the scheme's own), `path` (a list, or a string for an opaque one such as that of `mailto:`),
// `query` and `fragment` (null where there is none).
// Not a machine of states that takes one character at a time: every part ends at the first `?` or
// `#`, so those are cut off first.
//
// Natives: those of `internal/utf8`.

const { SETS, SPECIAL_PORTS, isSpecial, parseHost, percentEncode } = require('internal/url_host');
const {
  exec, forEach, indexOf, join, lastIndexOf, map, pop, push, replace, slice, split, startsWith,
  test, toLowerCase,
} = require('internal/primordials');

const isDriveLetter = (text) => test(/^[a-zA-Z][:|]$/, text);
const beginsWithDriveLetter = (text) => test(/^[a-zA-Z][:|]([/\\]|$)/, text);
const isSlash = (character, special) => character === '/' || (special && character === '\\');

function emptyRecord(scheme) {
  return {
    scheme, username: '', password: '', host: null, port: null, path: [], query: null,
    fragment: null,
  };
}

function encodeQuery(text, scheme) {
  return percentEncode(text, isSpecial(scheme) ? SETS.specialQuery : SETS.query);
}

// The record of `input`, read from `base` (a record, or null) on; null where it is no URL.
function parse(input, base) {
  let rest = replace(replace(input, /^[\0-\x20]+|[\0-\x20]+$/g, ''), /[\t\n\r]/g, '');
  const cut = (mark) => {
    const at = indexOf(rest, mark);
    if (at < 0) return null;
    const tail = slice(rest, at + 1);
    rest = slice(rest, 0, at);
    return tail;
  };
  const fragment = cut('#');
  const query = cut('?');
  const named = exec(/^([a-zA-Z][a-zA-Z0-9+.-]*):/, rest)?.[1];
  const scheme = named && toLowerCase(named);
  if (scheme !== undefined) rest = slice(rest, scheme.length + 1);
  const record = scheme === undefined ? fromBase(rest, base, query, fragment) :
    fromScheme(scheme, rest, base, query);
  if (record === null) return null;
  if (query !== null) record.query = encodeQuery(query, record.scheme);
  if (fragment !== null) record.fragment = percentEncode(fragment, SETS.fragment);
  return record;
}

function fromBase(rest, base, query, fragment) {
  if (base === null) return null;
  if (typeof base.path === 'string') {
    return rest === '' && query === null && fragment !== null ? { ...base } : null;
  }
  return base.scheme === 'file' ? file(rest, base, query) : relative(rest, base, query);
}

function fromScheme(scheme, rest, base, query) {
  if (scheme === 'file') return file(rest, base?.scheme === 'file' ? base : null, query);
  const record = emptyRecord(scheme);
  if (isSpecial(scheme)) {
    if (base?.scheme === scheme && !startsWith(rest, '//')) return relative(rest, base, query);
    return authority(record, replace(rest, /^[/\\]+/, ''));
  }
  if (startsWith(rest, '//')) return authority(record, slice(rest, 2));
  if (startsWith(rest, '/')) return walk(record, slice(rest, 1));
  record.path = percentEncode(rest, SETS.control);
  return record;
}

function relative(rest, base, query) {
  const special = isSpecial(base.scheme);
  if (isSlash(rest[0], special)) {
    if (isSlash(rest[1], special)) {
      const after = special ? replace(rest, /^[/\\]+/, '') : slice(rest, 2);
      return authority(emptyRecord(base.scheme), after);
    }
    return walk({ ...base, path: [], query: null, fragment: null }, slice(rest, 1));
  }
  return besides(rest, base, query);
}

// What begins with no slash stands beside the last part of the base's path.
function besides(rest, base, query) {
  const record = { ...base, path: slice(base.path), fragment: null };
  if (rest === '') {
    if (query !== null) record.query = null;
    return record;
  }
  record.query = null;
  if (base.scheme === 'file' && beginsWithDriveLetter(rest)) record.path = [];
  else shorten(record);
  return walk(record, rest);
}

function file(rest, base, query) {
  const record = { ...emptyRecord('file'), host: '' };
  if (!isSlash(rest[0], true)) return base ? besides(rest, base, query) : walk(record, rest);
  if (!isSlash(rest[1], true)) {
    if (base) {
      record.host = base.host;
      const { 0: first } = base.path;
      const keeps = !beginsWithDriveLetter(slice(rest, 1)) && test(/^[a-zA-Z]:$/, first);
      if (keeps) record.path = [first];
    }
    return walk(record, slice(rest, 1));
  }
  const name = exec(/^[^/\\]*/, slice(rest, 2))[0];
  if (isDriveLetter(name)) return walk(record, slice(rest, 2));
  if (name !== '') {
    record.host = parseHost(name, true);
    if (record.host === null) return null;
    if (record.host === 'localhost') record.host = '';
  }
  return walkFromSlash(record, slice(rest, 2 + name.length));
}

// `user:password@host:port`, then the path.
function authority(record, rest) {
  const special = isSpecial(record.scheme);
  const text = exec(special ? /^[^/\\]*/ : /^[^/]*/, rest)[0];
  const at = lastIndexOf(text, '@');
  if (at >= 0) {
    const given = slice(text, 0, at);
    const colon = indexOf(given, ':');
    const user = colon < 0 ? given : slice(given, 0, colon);
    record.username = percentEncode(user, SETS.userinfo);
    record.password = colon < 0 ? '' : percentEncode(slice(given, colon + 1), SETS.userinfo);
  }
  const { 0: host, 1: port } = splitPort(slice(text, at + 1));
  if (host === '' && (special || at >= 0 || port !== null)) return null;
  record.host = host === '' ? '' : parseHost(host, special);
  if (record.host === null) return null;
  if (port !== null && !setPort(record, port)) return null;
  return walkFromSlash(record, slice(rest, text.length));
}

// Host and port, the latter null where no colon stands outside of brackets.
function splitPort(text) {
  let within = false;
  for (let i = 0; i < text.length; i++) {
    if (text[i] === '[') within = true;
    else if (text[i] === ']') within = false;
    else if (text[i] === ':' && !within) return [slice(text, 0, i), slice(text, i + 1)];
  }
  return [text, null];
}

function setPort(record, text) {
  if (!test(/^[0-9]*$/, text) || Number(text) > 65535) return false;
  const port = text === '' ? null : Number(text);
  record.port = port === SPECIAL_PORTS[record.scheme] ? null : port;
  return true;
}

function walkFromSlash(record, rest) {
  const special = isSpecial(record.scheme);
  if (!special && rest === '') return record;
  return walk(record, isSlash(rest[0], special) ? slice(rest, 1) : rest);
}

function shorten(record) {
  const { path } = record;
  if (record.scheme === 'file' && path.length === 1 && test(/^[a-zA-Z]:$/, path[0])) return;
  pop(path);
}

// Adds the parts of `text` to the path, one after the other.
function walk(record, text) {
  const parts = split(text, isSpecial(record.scheme) ? /[/\\]/g : '/');
  forEach(parts, (part, index) => {
    const last = index === parts.length - 1;
    const dots = replace(part, /%2e/gi, '.');
    if (dots === '..') shorten(record);
    if (dots === '.' || dots === '..') {
      if (last) push(record.path, '');
      return;
    }
    const drive = record.scheme === 'file' && record.path.length === 0 && isDriveLetter(part);
    push(record.path, drive ? `${part[0]}:` : percentEncode(part, SETS.path));
  });
  return record;
}

function pathOf(record) {
  if (typeof record.path === 'string') return record.path;
  return join(map(record.path, (part) => `/${part}`), '');
}

function serialize(record) {
  const { scheme, username, password, host, port, path, query, fragment } = record;
  let text = `${scheme}:`;
  if (host !== null) {
    text += '//';
    if (username !== '' || password !== '') {
      text += `${username}${password === '' ? '' : `:${password}`}@`;
    }
    text += host + (port === null ? '' : `:${port}`);
  } else if (typeof path !== 'string' && path.length > 1 && path[0] === '') {
    // Else the path would be read as a host.
    text += '/.';
  }
  text += pathOf(record);
  if (query !== null) text += `?${query}`;
  return fragment === null ? text : `${text}#${fragment}`;
}

module.exports = { encodeQuery, parse, pathOf, serialize, setPort, splitPort, walkFromSlash };
