'use strict';
// `URL`: a parsed record behind the web's properties.
//
// Natives: those of `internal/utf8`.

const { codes } = require('internal/errors');
const parser = require('internal/url_parser');
const { SETS, SPECIAL_PORTS, isSpecial, parseHost, percentEncode } = require('internal/url_host');
const { URLSearchParams, kUpdate } = require('internal/url_search_params');
const {
  concat, each, exec, fromEntries, map, replace, test, toLowerCase, toWellFormed,
} = require('internal/primordials');

const inspectCustom = Symbol.for('nodejs.util.inspect.custom');
const SHOWN = ['href', 'origin', 'protocol', 'username', 'password', 'host', 'hostname', 'port',
  'pathname', 'search', 'searchParams', 'hash'];

const clean = (value) => replace(toWellFormed(`${value}`), /[\t\n\r]/g, '');

function read(input, base) {
  const from = base === undefined ? null : parser.parse(toWellFormed(`${base}`), null);
  if (base !== undefined && from === null) return null;
  return parser.parse(toWellFormed(`${input}`), from);
}

class URL {
  #record;
  #params = null;

  constructor(input, base = undefined) {
    if (arguments.length === 0) throw new codes.ERR_MISSING_ARGS('url');
    this.#record = read(input, base);
    if (this.#record === null) throw new codes.ERR_INVALID_URL(`${input}`, base);
  }

  static canParse(input, base = undefined) {
    if (arguments.length === 0) throw new codes.ERR_MISSING_ARGS('url');
    return read(input, base) !== null;
  }

  static #check(self) {
    if (typeof self !== 'object' || self === null || !(#record in self)) {
      throw new codes.ERR_INVALID_THIS('URL');
    }
    return self.#record;
  }

  get href() {
    return parser.serialize(URL.#check(this));
  }

  set href(value) {
    URL.#check(this);
    const record = read(value);
    if (record === null) throw new codes.ERR_INVALID_URL(`${value}`);
    this.#record = record;
    this.#renew();
  }

  get origin() {
    const { scheme, path, host, port } = URL.#check(this);
    if (scheme === 'blob') {
      const inner = typeof path === 'string' ? parser.parse(path, null) : null;
      return inner && test(/^https?$/, inner.scheme) ? new URL(path).origin : 'null';
    }
    if (!isSpecial(scheme) || scheme === 'file') return 'null';
    return `${scheme}://${host}${port === null ? '' : `:${port}`}`;
  }

  get protocol() {
    return `${URL.#check(this).scheme}:`;
  }

  set protocol(value) {
    const record = URL.#check(this);
    const scheme = exec(/^([a-zA-Z][a-zA-Z0-9+.-]*)(:|$)/, toLowerCase(clean(value)))?.[1];
    if (scheme === undefined || isSpecial(scheme) !== isSpecial(record.scheme)) return;
    const { username, password, port, host } = record;
    if (scheme === 'file' && (username !== '' || password !== '' || port !== null)) return;
    if (record.scheme === 'file' && host === '') return;
    record.scheme = scheme;
    if (port === SPECIAL_PORTS[scheme]) record.port = null;
  }

  get username() {
    return URL.#check(this).username;
  }

  set username(value) {
    const text = percentEncode(toWellFormed(`${value}`), SETS.userinfo);
    if (mayHaveUser(URL.#check(this))) this.#record.username = text;
  }

  get password() {
    return URL.#check(this).password;
  }

  set password(value) {
    const text = percentEncode(toWellFormed(`${value}`), SETS.userinfo);
    if (mayHaveUser(URL.#check(this))) this.#record.password = text;
  }

  get host() {
    const { host, port } = URL.#check(this);
    return (host ?? '') + (port === null ? '' : `:${port}`);
  }

  set host(value) {
    setHost(URL.#check(this), clean(value), true);
  }

  get hostname() {
    return URL.#check(this).host ?? '';
  }

  set hostname(value) {
    setHost(URL.#check(this), clean(value), false);
  }

  get port() {
    const { port } = URL.#check(this);
    return port === null ? '' : `${port}`;
  }

  set port(value) {
    const record = URL.#check(this);
    const text = clean(value);
    if (!mayHaveUser(record)) return;
    const digits = exec(/^[0-9]*/, text)[0];
    if (digits !== '' || text === '') parser.setPort(record, digits);
  }

  get pathname() {
    return parser.pathOf(URL.#check(this));
  }

  set pathname(value) {
    const record = URL.#check(this);
    if (typeof record.path === 'string') return;
    record.path = [];
    parser.walkFromSlash(record, clean(value));
  }

  get search() {
    const { query } = URL.#check(this);
    return query ? `?${query}` : '';
  }

  set search(value) {
    const record = URL.#check(this);
    const text = replace(clean(value), /^\?/, '');
    record.query = `${value}` === '' ? null : parser.encodeQuery(text, record.scheme);
    this.#renew();
  }

  get searchParams() {
    URL.#check(this);
    if (this.#params === null) {
      this.#params = new URLSearchParams();
      this.#renew();
    }
    return this.#params;
  }

  get hash() {
    const { fragment } = URL.#check(this);
    return fragment ? `#${fragment}` : '';
  }

  set hash(value) {
    const record = URL.#check(this);
    const text = replace(clean(value), /^#/, '');
    record.fragment = `${value}` === '' ? null : percentEncode(text, SETS.fragment);
  }

  toString() {
    return this.href;
  }

  toJSON() {
    return this.href;
  }

  // Both views of the query say the same, whichever was changed.
  #renew() {
    this.#params?.[kUpdate](this.#record.query ?? '', (query) => {
      this.#record.query = query === '' ? null : query;
    });
  }

  [inspectCustom](depth, options) {
    if (typeof depth === 'number' && depth < 0) return this;
    const shown = fromEntries(map(SHOWN, (name) => [name, this[name]]));
    const { inspect } = require('internal/inspect');
    return `${this.constructor.name} ${inspect(shown, options)}`;
  }
}

function mayHaveUser(record) {
  return record.host !== null && record.host !== '' && record.scheme !== 'file';
}

function setHost(record, value, withPort) {
  if (typeof record.path === 'string') return;
  const special = isSpecial(record.scheme);
  const text = exec(special ? /^[^/\\?#]*/ : /^[^/?#]*/, value)[0];
  if (record.scheme === 'file') {
    const host = text === '' ? '' : parseHost(text, true);
    if (host !== null) record.host = host === 'localhost' ? '' : host;
    return;
  }
  const { 0: name, 1: port } = parser.splitPort(text);
  if (port !== null && (!withPort || name === '')) return;
  const { username, password } = record;
  if (name === '' && (special || username !== '' || password !== '' || record.port !== null)) {
    return;
  }
  const host = name === '' ? '' : parseHost(name, special);
  if (host === null) return;
  record.host = host;
  const digits = exec(/^[0-9]*/, port ?? '')[0];
  if (digits !== '') parser.setPort(record, digits);
}

for (const name of each(concat(SHOWN, 'toString', 'toJSON'))) {
  Object.defineProperty(URL.prototype, name, { enumerable: true });
}
Object.defineProperty(URL.prototype, Symbol.toStringTag, { value: 'URL', configurable: true });

module.exports = { URL, URLSearchParams };
