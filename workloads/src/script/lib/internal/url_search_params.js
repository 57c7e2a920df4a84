'use strict';
// `URLSearchParams`: a list of names and values, with the encoding of web forms.
//
// Natives: those of `internal/utf8`.

const { codes } = require('internal/errors');
const { checkFunction } = require('internal/checks');
const utf8 = require('internal/utf8');

const inspectCustom = Symbol.for('nodejs.util.inspect.custom');
const kUpdate = Symbol('update');

const text = (value) => `${value}`.toWellFormed();

// Bytes that are no `%XX` stay as they are.
function decode(part) {
  const spaced = part.replaceAll('+', ' ');
  if (!spaced.includes('%')) return spaced;
  const bytes = utf8.encode(spaced);
  const decoded = new Uint8Array(bytes.length);
  let length = 0;
  for (let i = 0; i < bytes.length; i++) {
    const digits = bytes[i] === 37 ? String.fromCharCode(bytes[i + 1], bytes[i + 2]) : '';
    const isByte = /^[0-9a-fA-F]{2}$/.test(digits);
    decoded[length++] = isByte ? parseInt(digits, 16) : bytes[i];
    if (isByte) i += 2;
  }
  return utf8.decode(decoded.subarray(0, length));
}

function parse(query) {
  const parts = query.split('&').filter((part) => part !== '');
  return parts.map((part) => {
    const at = part.indexOf('=');
    return at < 0 ? [decode(part), ''] : [decode(part.slice(0, at)), decode(part.slice(at + 1))];
  });
}

function encode(part) {
  return encodeURIComponent(part).replace(/[!'()~]|%20/g, (found) => {
    return found === '%20' ? '+' : `%${found.charCodeAt(0).toString(16).toUpperCase()}`;
  });
}

function serialize(list) {
  return list.map(([name, value]) => `${encode(name)}=${encode(value)}`).join('&');
}

function fromPairs(init) {
  if (typeof init[Symbol.iterator] !== 'function') {
    throw new codes.ERR_ARG_NOT_ITERABLE('Query pairs');
  }
  return Array.from(init, (pair) => {
    const wrong = () => new codes.ERR_INVALID_TUPLE('Each query pair', '[name, value]');
    if (pair === null || (typeof pair !== 'object' && typeof pair !== 'function')) throw wrong();
    if (typeof pair[Symbol.iterator] !== 'function') throw wrong();
    const both = Array.from(pair, text);
    if (both.length !== 2) throw wrong();
    return both;
  });
}

function fromRecord(init) {
  const found = new Map();
  for (const key of Reflect.ownKeys(init)) {
    if (typeof key === 'symbol') continue;
    if (Object.getOwnPropertyDescriptor(init, key)?.enumerable) {
      found.set(text(key), text(init[key]));
    }
  }
  return [...found];
}

class URLSearchParams {
  #list = [];
  #onUpdate = null;

  constructor(init = undefined) {
    if (init === undefined || init === null) return;
    if (typeof init !== 'object' && typeof init !== 'function') {
      const query = text(init);
      this.#list = parse(query.startsWith('?') ? query.slice(1) : query);
    } else if (init[Symbol.iterator] !== undefined && init[Symbol.iterator] !== null) {
      this.#list = fromPairs(init);
    } else {
      this.#list = fromRecord(init);
    }
  }

  // For `URL`: takes a new query, and whom to tell of changes.
  [kUpdate](query, onUpdate) {
    this.#list = parse(query);
    this.#onUpdate = onUpdate;
  }

  #changed() {
    this.#onUpdate?.(serialize(this.#list));
  }

  static #check(self, given, ...names) {
    if (typeof self !== 'object' || self === null || !(#list in self)) {
      throw new codes.ERR_INVALID_THIS('URLSearchParams');
    }
    if (given < names.length) throw new codes.ERR_MISSING_ARGS(...names);
  }

  get size() {
    URLSearchParams.#check(this, 0);
    return this.#list.length;
  }

  append(name, value) {
    URLSearchParams.#check(this, arguments.length, 'name', 'value');
    this.#list.push([text(name), text(value)]);
    this.#changed();
  }

  delete(name, value = undefined) {
    URLSearchParams.#check(this, arguments.length, 'name');
    this.#list = this.#list.filter((pair) => !isPair(pair, text(name), value));
    this.#changed();
  }

  get(name) {
    URLSearchParams.#check(this, arguments.length, 'name');
    return this.#list.find((pair) => pair[0] === text(name))?.[1] ?? null;
  }

  getAll(name) {
    URLSearchParams.#check(this, arguments.length, 'name');
    return this.#list.filter((pair) => pair[0] === text(name)).map((pair) => pair[1]);
  }

  has(name, value = undefined) {
    URLSearchParams.#check(this, arguments.length, 'name');
    return this.#list.some((pair) => isPair(pair, text(name), value));
  }

  set(name, value) {
    URLSearchParams.#check(this, arguments.length, 'name', 'value');
    const [key, content] = [text(name), text(value)];
    const first = this.#list.findIndex((pair) => pair[0] === key);
    if (first < 0) {
      this.#list.push([key, content]);
    } else {
      this.#list[first][1] = content;
      this.#list = this.#list.filter((pair, i) => i <= first || pair[0] !== key);
    }
    this.#changed();
  }

  sort() {
    URLSearchParams.#check(this, 0);
    this.#list.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
    this.#changed();
  }

  forEach(callback, thisArg = undefined) {
    URLSearchParams.#check(this, 0);
    checkFunction(callback, 'callback');
    for (let i = 0; i < this.#list.length; i++) {
      const [name, value] = this.#list[i];
      callback.call(thisArg, value, name, this);
    }
  }

  // Sees what is added while it runs.
  * #each(pick) {
    for (let i = 0; i < this.#list.length; i++) yield pick(this.#list[i]);
  }

  entries() {
    URLSearchParams.#check(this, 0);
    return this.#each((pair) => [pair[0], pair[1]]);
  }

  keys() {
    URLSearchParams.#check(this, 0);
    return this.#each((pair) => pair[0]);
  }

  values() {
    URLSearchParams.#check(this, 0);
    return this.#each((pair) => pair[1]);
  }

  toString() {
    URLSearchParams.#check(this, 0);
    return serialize(this.#list);
  }

  [inspectCustom](depth, options) {
    if (typeof depth === 'number' && depth < 0) return options.stylize('[Object]', 'special');
    const { inspect } = require('internal/inspect');
    const shown = (part) => inspect(part, options);
    const pairs = this.#list.map(([name, value]) => `${shown(name)} => ${shown(value)}`);
    return pairs.length === 0 ? 'URLSearchParams {}' : `URLSearchParams { ${pairs.join(', ')} }`;
  }
}

function isPair(pair, name, value) {
  return pair[0] === name && (value === undefined || pair[1] === text(value));
}

Object.defineProperty(URLSearchParams.prototype, Symbol.iterator, {
  value: URLSearchParams.prototype.entries, writable: true, configurable: true,
});
Object.defineProperty(URLSearchParams.prototype, Symbol.toStringTag, {
  value: 'URLSearchParams', configurable: true,
});

module.exports = { URLSearchParams, kUpdate };
