'use strict';
// `URLSearchParams`: a list of names and values, with the encoding of web forms.
//
// Natives: those of `internal/utf8`.

const { codes } = require('internal/errors');
const { checkFunction } = require('internal/checks');
const utf8 = require('internal/utf8');
const {
  bytesSubarray, charCodeAt, each, entriesOf, filter, find, findIndex, includes, indexOf, join, map,
  push, replace, replaceAll, slice, some, sort, split, startsWith, test, toHex, toUpperCase,
  toWellFormed,
} = require('internal/primordials');

const inspectCustom = Symbol.for('nodejs.util.inspect.custom');
const kUpdate = Symbol('update');

const text = (value) => toWellFormed(`${value}`);

// Bytes that are no `%XX` stay as they are.
function decode(part) {
  const spaced = replaceAll(part, '+', ' ');
  if (!includes(spaced, '%')) return spaced;
  const bytes = utf8.encode(spaced);
  const decoded = new Uint8Array(bytes.length);
  let length = 0;
  for (let i = 0; i < bytes.length; i++) {
    const digits = bytes[i] === 37 ? String.fromCharCode(bytes[i + 1], bytes[i + 2]) : '';
    const isByte = test(/^[0-9a-fA-F]{2}$/, digits);
    decoded[length++] = isByte ? parseInt(digits, 16) : bytes[i];
    if (isByte) i += 2;
  }
  return utf8.decode(bytesSubarray(decoded, 0, length));
}

function parse(query) {
  const parts = filter(split(query, '&'), (part) => part !== '');
  return map(parts, (part) => {
    const at = indexOf(part, '=');
    return at < 0 ? [decode(part), ''] : [decode(slice(part, 0, at)), decode(slice(part, at + 1))];
  });
}

function encode(part) {
  return replace(encodeURIComponent(part), /[!'()~]|%20/g, (found) => {
    return found === '%20' ? '+' : `%${toUpperCase(toHex(charCodeAt(found, 0)))}`;
  });
}

function serialize(list) {
  return join(map(list, ({ 0: name, 1: value }) => `${encode(name)}=${encode(value)}`), '&');
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
  for (const key of each(Reflect.ownKeys(init))) {
    if (typeof key === 'symbol') continue;
    if (Object.getOwnPropertyDescriptor(init, key)?.enumerable) {
      found.set(text(key), text(init[key]));
    }
  }
  return entriesOf(found);
}

class URLSearchParams {
  #list = [];
  #onUpdate = null;

  constructor(init = undefined) {
    if (init === undefined || init === null) return;
    if (typeof init !== 'object' && typeof init !== 'function') {
      const query = text(init);
      this.#list = parse(startsWith(query, '?') ? slice(query, 1) : query);
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
    if (given < names.length) throw Reflect.construct(codes.ERR_MISSING_ARGS, names);
  }

  get size() {
    URLSearchParams.#check(this, 0);
    return this.#list.length;
  }

  append(name, value) {
    URLSearchParams.#check(this, arguments.length, 'name', 'value');
    push(this.#list, [text(name), text(value)]);
    this.#changed();
  }

  delete(name, value = undefined) {
    URLSearchParams.#check(this, arguments.length, 'name');
    this.#list = filter(this.#list, (pair) => !isPair(pair, text(name), value));
    this.#changed();
  }

  get(name) {
    URLSearchParams.#check(this, arguments.length, 'name');
    return find(this.#list, (pair) => pair[0] === text(name))?.[1] ?? null;
  }

  getAll(name) {
    URLSearchParams.#check(this, arguments.length, 'name');
    return map(filter(this.#list, (pair) => pair[0] === text(name)), (pair) => pair[1]);
  }

  has(name, value = undefined) {
    URLSearchParams.#check(this, arguments.length, 'name');
    return some(this.#list, (pair) => isPair(pair, text(name), value));
  }

  set(name, value) {
    URLSearchParams.#check(this, arguments.length, 'name', 'value');
    const { 0: key, 1: content } = [text(name), text(value)];
    const first = findIndex(this.#list, (pair) => pair[0] === key);
    if (first < 0) {
      push(this.#list, [key, content]);
    } else {
      this.#list[first][1] = content;
      this.#list = filter(this.#list, (pair, i) => i <= first || pair[0] !== key);
    }
    this.#changed();
  }

  sort() {
    URLSearchParams.#check(this, 0);
    sort(this.#list, ({ 0: a }, { 0: b }) => (a < b ? -1 : a > b ? 1 : 0));
    this.#changed();
  }

  forEach(callback, thisArg = undefined) {
    URLSearchParams.#check(this, 0);
    checkFunction(callback, 'callback');
    for (let i = 0; i < this.#list.length; i++) {
      const { 0: name, 1: value } = this.#list[i];
      Reflect.apply(callback, thisArg, [value, name, this]);
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
    const pairs = map(this.#list, ({ 0: name, 1: value }) => `${shown(name)} => ${shown(value)}`);
    return pairs.length === 0 ? 'URLSearchParams {}' : `URLSearchParams { ${join(pairs, ', ')} }`;
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
