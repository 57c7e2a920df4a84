'use strict';
// The older half of `url`: `parse`, `format`, `resolve`, for code that still uses them.
//
// Natives: those of `internal/utf8`.

const { codes } = require('internal/errors');
const { checkString } = require('internal/checks');
const querystring = require('querystring');
const { URL } = require('internal/url_class');
const {
  charCodeAt, each, endsWith, exec, includes, lastIndexOf, padStart, replace, replaceAll,
  search: searchOf, slice, startsWith, test, toHex, toLowerCase, toUpperCase,
} = require('internal/primordials');

const SLASHED = ['http:', 'https:', 'ftp:', 'gopher:', 'file:', 'ws:', 'wss:'];
const ESCAPED = /[\t\n\r "'<>\\^`{|}]/g;

const escapeAll = (text) => replace(text, ESCAPED, (character) => {
  return `%${padStart(toUpperCase(toHex(charCodeAt(character, 0))), 2, '0')}`;
});

function Url() {
  for (const name of each(['protocol', 'slashes', 'auth', 'host', 'port', 'hostname', 'hash',
    'search', 'query', 'pathname', 'path', 'href'])) this[name] = null;
}

// Backslashes count as slashes, up to the query.
function straighten(url) {
  const text = replace(url, /^[\0-\x20\xa0\ufeff]+|[\0-\x20\xa0\ufeff]+$/g, '');
  const end = searchOf(text, /[?#]/);
  const head = end < 0 ? text : slice(text, 0, end);
  return replaceAll(head, '\\', '/') + slice(text, head.length);
}

function parse(url, parseQuery, slashesDenoteHost) {
  if (url instanceof Url) return url;
  checkString(url, 'url');
  const made = new Url();
  let rest = straighten(url);
  const simple = exec(/^(\/\/?(?!\/)[^?\s]*)(\?[^\s]*)?$/, rest);
  const isSimple = simple && !slashesDenoteHost && !includes(rest, '#') && !test(/^[^?]*@/, rest);
  if (!isSimple) {
    const protocol = exec(/^[a-z0-9.+-]+:/i, rest)?.[0];
    if (protocol !== undefined) {
      made.protocol = toLowerCase(protocol);
      rest = slice(rest, protocol.length);
    }
    rest = takeHost(made, rest, slashesDenoteHost, url);
    if (made.protocol !== 'javascript:') rest = escapeAll(rest);
  }
  takePath(made, rest, parseQuery);
  made.href = isSimple ? rest : made.format();
  return made;
}

function takeHost(made, text, slashesDenoteHost, url) {
  if (made.protocol === 'javascript:') return text;
  let rest = text;
  const asked = slashesDenoteHost || made.protocol || test(/^\/\/[^@/]+@[^@/]+/, rest);
  if (asked && startsWith(rest, '//')) {
    rest = slice(rest, 2);
    made.slashes = true;
  } else if (!made.protocol || includes(SLASHED, made.protocol)) {
    return rest;
  }
  const authority = exec(/^[^/?#]*/, rest)[0];
  const at = lastIndexOf(authority, '@');
  if (at >= 0) made.auth = decodeURIComponent(slice(authority, 0, at));
  const host = exec(/^[^\s"%';<>\\^`{|}]*/, slice(authority, at + 1))[0];
  rest = slice(rest, at + 1 + host.length);
  made.port = exec(/:([0-9]+)$/, host)?.[1] ?? null;
  const name = toLowerCase(replace(host, /:[0-9]*$/, ''));
  if (test(/[\0\t\n\r #%/<>?@\\^|]/, name)) throw new codes.ERR_INVALID_URL(url);
  const isIpv6 = startsWith(name, '[') && endsWith(name, ']');
  made.hostname = isIpv6 ? slice(name, 1, -1) : name;
  made.host = name + (made.port ? `:${made.port}` : '');
  return isIpv6 && !startsWith(rest, '/') ? `/${rest}` : rest;
}

function takePath(made, text, parseQuery) {
  const { 1: path, 2: search, 3: hash } = exec(/^([^?#]*)(\?[^#]*)?(#.*)?$/s, text);
  if (hash !== undefined) made.hash = hash;
  if (search !== undefined) {
    made.search = search;
    made.query = parseQuery ? querystring.parse(slice(search, 1)) : slice(search, 1);
  } else if (parseQuery) {
    made.query = querystring.parse('');
  }
  if (path !== '') made.pathname = path;
  else if (includes(SLASHED, made.protocol) && made.hostname) made.pathname = '/';
  if (made.pathname || made.search) made.path = (made.pathname ?? '') + (made.search ?? '');
}

Url.prototype.format = function() {
  const { auth, hash, hostname, port, query } = this;
  const user = auth ? `${replace(encodeURIComponent(auth), /%3A/gi, ':')}@` : '';
  let host = '';
  if (this.host) {
    host = user + this.host;
  } else if (hostname) {
    const isIpv6 = includes(hostname, ':') && !startsWith(hostname, '[');
    host = user + (isIpv6 ? `[${hostname}]` : hostname) + (port ? `:${port}` : '');
  }
  const fields = query !== null && typeof query === 'object' ? querystring.stringify(query) : '';
  const begin = (text, mark) => (text && !startsWith(text, mark) ? mark + text : text);
  const search = replaceAll(begin(this.search || (fields && `?${fields}`) || '', '?'), '#', '%23');
  let protocol = this.protocol || '';
  if (protocol && !endsWith(protocol, ':')) protocol += ':';
  let pathname = replaceAll(replaceAll(this.pathname || '', '#', '%23'), '?', '%3F');
  if (this.slashes || includes(SLASHED, protocol)) {
    if (this.slashes || host) {
      pathname = begin(pathname, '/');
      host = `//${host}`;
    } else if (startsWith(protocol, 'file')) {
      host = '//';
    }
  }
  return protocol + host + pathname + search + begin(hash || '', '#');
};

function format(given, options) {
  if (typeof given === 'string') return parse(given).format();
  if (typeof given !== 'object' || given === null) {
    throw new codes.ERR_INVALID_ARG_TYPE('urlObject', ['Object', 'string'], given);
  }
  if (!(given instanceof URL)) return Reflect.apply(Url.prototype.format, given, []);
  const shown = new URL(given.href);
  if (options?.fragment === false) shown.hash = '';
  if (options?.search === false) shown.search = '';
  if (options?.auth === false) {
    shown.username = '';
    shown.password = '';
  }
  return shown.href;
}

// By the newer parser: a base that is only a path is read as if it had an origin.
function resolve(from, to) {
  const resolved = new URL(to, new URL(from, 'resolve://'));
  if (resolved.protocol !== 'resolve:') return resolved.href;
  return resolved.pathname + resolved.search + resolved.hash;
}

module.exports = { Url, format, parse, resolve };
