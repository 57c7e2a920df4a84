'use strict';
// The older half of `url`: `parse`, `format`, `resolve`, for code that still uses them.
//
// Natives: those of `internal/utf8`.

const { codes } = require('internal/errors');
const { checkString } = require('internal/checks');
const querystring = require('querystring');
const { URL } = require('internal/url_class');

const SLASHED = ['http:', 'https:', 'ftp:', 'gopher:', 'file:', 'ws:', 'wss:'];
const ESCAPED = /[\t\n\r "'<>\\^`{|}]/g;

const escapeAll = (text) => text.replace(ESCAPED, (character) => {
  return `%${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`;
});

function Url() {
  for (const name of ['protocol', 'slashes', 'auth', 'host', 'port', 'hostname', 'hash', 'search',
    'query', 'pathname', 'path', 'href']) this[name] = null;
}

// Backslashes count as slashes, up to the query.
function straighten(url) {
  const text = url.replace(/^[\0-\x20\xa0\ufeff]+|[\0-\x20\xa0\ufeff]+$/g, '');
  const end = text.search(/[?#]/);
  const head = end < 0 ? text : text.slice(0, end);
  return head.replaceAll('\\', '/') + text.slice(head.length);
}

function parse(url, parseQuery, slashesDenoteHost) {
  if (url instanceof Url) return url;
  checkString(url, 'url');
  const made = new Url();
  let rest = straighten(url);
  const simple = /^(\/\/?(?!\/)[^?\s]*)(\?[^\s]*)?$/.exec(rest);
  const isSimple = simple && !slashesDenoteHost && !rest.includes('#') && !/^[^?]*@/.test(rest);
  if (!isSimple) {
    const protocol = /^[a-z0-9.+-]+:/i.exec(rest)?.[0];
    if (protocol !== undefined) {
      made.protocol = protocol.toLowerCase();
      rest = rest.slice(protocol.length);
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
  const asked = slashesDenoteHost || made.protocol || /^\/\/[^@/]+@[^@/]+/.test(rest);
  if (asked && rest.startsWith('//')) {
    rest = rest.slice(2);
    made.slashes = true;
  } else if (!made.protocol || SLASHED.includes(made.protocol)) {
    return rest;
  }
  const authority = /^[^/?#]*/.exec(rest)[0];
  const at = authority.lastIndexOf('@');
  if (at >= 0) made.auth = decodeURIComponent(authority.slice(0, at));
  const host = /^[^\s"%';<>\\^`{|}]*/.exec(authority.slice(at + 1))[0];
  rest = rest.slice(at + 1 + host.length);
  made.port = /:([0-9]+)$/.exec(host)?.[1] ?? null;
  const name = host.replace(/:[0-9]*$/, '').toLowerCase();
  if (/[\0\t\n\r #%/<>?@\\^|]/.test(name)) throw new codes.ERR_INVALID_URL(url);
  const isIpv6 = name.startsWith('[') && name.endsWith(']');
  made.hostname = isIpv6 ? name.slice(1, -1) : name;
  made.host = name + (made.port ? `:${made.port}` : '');
  return isIpv6 && !rest.startsWith('/') ? `/${rest}` : rest;
}

function takePath(made, text, parseQuery) {
  const [, path, search, hash] = /^([^?#]*)(\?[^#]*)?(#.*)?$/s.exec(text);
  if (hash !== undefined) made.hash = hash;
  if (search !== undefined) {
    made.search = search;
    made.query = parseQuery ? querystring.parse(search.slice(1)) : search.slice(1);
  } else if (parseQuery) {
    made.query = querystring.parse('');
  }
  if (path !== '') made.pathname = path;
  else if (SLASHED.includes(made.protocol) && made.hostname) made.pathname = '/';
  if (made.pathname || made.search) made.path = (made.pathname ?? '') + (made.search ?? '');
}

Url.prototype.format = function() {
  const { auth, hash, hostname, port, query } = this;
  const user = auth ? `${encodeURIComponent(auth).replace(/%3A/gi, ':')}@` : '';
  let host = '';
  if (this.host) {
    host = user + this.host;
  } else if (hostname) {
    const isIpv6 = hostname.includes(':') && !hostname.startsWith('[');
    host = user + (isIpv6 ? `[${hostname}]` : hostname) + (port ? `:${port}` : '');
  }
  const fields = query !== null && typeof query === 'object' ? querystring.stringify(query) : '';
  const begin = (text, mark) => (text && !text.startsWith(mark) ? mark + text : text);
  const search = begin(this.search || (fields && `?${fields}`) || '', '?').replaceAll('#', '%23');
  let protocol = this.protocol || '';
  if (protocol && !protocol.endsWith(':')) protocol += ':';
  let pathname = (this.pathname || '').replaceAll('#', '%23').replaceAll('?', '%3F');
  if (this.slashes || SLASHED.includes(protocol)) {
    if (this.slashes || host) {
      pathname = begin(pathname, '/');
      host = `//${host}`;
    } else if (protocol.startsWith('file')) {
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
  if (!(given instanceof URL)) return Url.prototype.format.call(given);
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
