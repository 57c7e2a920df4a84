// The methods of texts, lists, expressions and so on, as functions of what they work on: taken
// before a program can put others in their place, and before a timeline stands in front of them.
// The library calls no such method by its name, spreads no list of its own and walks none by its
// iterator. `yield*` and templates are the engine's: they look up what a program may have changed.
// Cost: a call more than the method itself.
'use strict';

const { call, bind } = Function.prototype;
const uncurried = (method) => call.bind(method);

const OF_LISTS = ['concat', 'every', 'fill', 'filter', 'find', 'findIndex', 'findLast',
  'findLastIndex', 'flatMap', 'forEach', 'join', 'map', 'pop', 'push', 'reduce', 'shift', 'some',
  'sort', 'splice', 'unshift'];
const OF_TEXTS = ['charCodeAt', 'codePointAt', 'endsWith', 'lastIndexOf', 'normalize', 'padEnd',
  'padStart', 'repeat', 'replaceAll', 'startsWith', 'toLowerCase', 'toUpperCase', 'toWellFormed',
  'trim'];

OF_LISTS.forEach((name) => {
  exports[name] = uncurried(Array.prototype[name]);
});
OF_TEXTS.forEach((name) => {
  exports[name] = uncurried(String.prototype[name]);
});

const { apply } = Reflect;
const { defineProperty, getOwnPropertyDescriptor } = Object;
const { fromCodePoint } = String;
const exec = uncurried(RegExp.prototype.exec);
const isGlobal = uncurried(getOwnPropertyDescriptor(RegExp.prototype, 'global').get);
const splitText = uncurried(String.prototype.split);
const replaceText = uncurried(String.prototype.replace);
const setBytes = uncurried(Uint8Array.prototype.set);
const textSlice = uncurried(String.prototype.slice);
const listSlice = uncurried(Array.prototype.slice);
const numberText = uncurried(Number.prototype.toString);
const { codePointAt } = exports;

// One of two methods, by what it works on.
function either(name) {
  const ofText = uncurried(String.prototype[name]);
  const ofList = uncurried(Array.prototype[name]);
  return (from, what, start) => {
    return typeof from === 'string' ? ofText(from, what, start) : ofList(from, what, start);
  };
}

function slice(from, start, end) {
  return typeof from === 'string' ? textSlice(from, start, end) : listSlice(from, start, end);
}

// What an expression finds in a text, first to last: once, but with the flag `g`.
function matchAll(text, expression) {
  const all = [];
  expression.lastIndex = 0;
  for (let found = exec(expression, text); found !== null; found = exec(expression, text)) {
    all[all.length] = found;
    if (!isGlobal(expression)) break;
    if (found[0] === '') expression.lastIndex++;
  }
  return all;
}

// `by` is a text in which `$` means nothing, or makes one of what was found.
function replace(text, what, by) {
  if (typeof what === 'string') return replaceText(text, what, () => by);
  const all = matchAll(text, what);
  let out = '';
  let done = 0;
  for (let i = 0; i < all.length; i++) {
    const made = typeof by === 'string' ? by : by(all[i][0]);
    out += textSlice(text, done, all[i].index) + made;
    done = all[i].index + all[i][0].length;
  }
  return done === 0 && out === '' ? text : out + textSlice(text, done);
}

// At a text, or at what an expression with the flag `g` finds before the end.
function split(text, at, most) {
  if (typeof at === 'string') return splitText(text, at, most);
  const all = matchAll(text, at);
  const parts = [];
  let done = 0;
  for (let i = 0; i < all.length; i++) {
    const end = all[i].index;
    if (end === text.length) break;
    parts[i] = textSlice(text, done, end);
    done = end + all[i][0].length;
  }
  parts[parts.length] = textSlice(text, done);
  return parts;
}

// Walks a list as its own iterator does.
function each(list) {
  let at = 0;
  const step = () => {
    const done = !(at < list.length);
    return { done, value: done ? undefined : list[at++] };
  };
  const walk = { __proto__: null, next: step };
  return defineProperty(walk, Symbol.iterator, { __proto__: null, value: () => walk });
}

// What a Map or Set holds, at most so many; a Map's as pairs.
function taker(begin, next) {
  return (collection, most = Infinity) => {
    const walk = begin(collection);
    const all = [];
    while (all.length < most) {
      const step = next(walk);
      if (step.done) break;
      all[all.length] = step.value;
    }
    return all;
  };
}

const nextOf = (walk) => uncurried(walk.next);

// Walks the characters of a text.
function chars(text) {
  const all = [];
  for (let at = 0; at < text.length; at += all[all.length - 1].length) {
    all[all.length] = fromCodePoint(codePointAt(text, at));
  }
  return each(all);
}

module.exports = Object.assign(exports, {
  Map,
  at: (list, index) => list[index < 0 ? list.length + index : index],
  bind: uncurried(bind),
  bytesFill: uncurried(Uint8Array.prototype.fill),
  bytesFrom(list) {
    const made = new Uint8Array(list.length);
    setBytes(made, list);
    return made;
  },
  bytesReverse: uncurried(Uint8Array.prototype.reverse),
  bytesSet: setBytes,
  bytesSlice: uncurried(Uint8Array.prototype.slice),
  bytesSubarray: uncurried(Uint8Array.prototype.subarray),
  chars,
  each,
  entriesOf: taker(uncurried(Map.prototype.entries), nextOf(new Map().entries())),
  exec,
  fromEntries(pairs) {
    const made = {};
    exports.forEach(pairs, ({ 0: key, 1: value }) => defineProperty(made, key, {
      __proto__: null, configurable: true, enumerable: true, writable: true, value,
    }));
    return made;
  },
  includes: either('includes'),
  indexOf: either('indexOf'),
  isEnumerable: uncurried(Object.prototype.propertyIsEnumerable),
  isPrototypeOf: uncurried(Object.prototype.isPrototypeOf),
  // `then(promise, fulfilled, rejected)`, and so on.
  lastly: uncurried(Promise.prototype.finally),
  matchAll,
  membersOf: taker(uncurried(Set.prototype.values), nextOf(new Set().values())),
  pushAll(list, more) {
    apply(exports.push, undefined, exports.concat([list], more));
  },
  replace,
  search: (text, expression) => exec(expression, text)?.index ?? -1,
  setOf(list) {
    const made = new Set();
    exports.forEach(list, (value) => made.add(value));
    return made;
  },
  slice,
  split,
  tagOf: uncurried(Object.prototype.toString),
  test: (expression, text) => exec(expression, text) !== null,
  textOfDate: uncurried(Date.prototype.toISOString),
  textOfError: uncurried(Error.prototype.toString),
  textOfExpression: uncurried(RegExp.prototype.toString),
  textOfFunction: uncurried(Function.prototype.toString),
  textOfNoDate: uncurried(Date.prototype.toString),
  textOfSymbol: uncurried(Symbol.prototype.toString),
  then: uncurried(Promise.prototype.then),
  timeOf: uncurried(Date.prototype.getTime),
  toFixed: uncurried(Number.prototype.toFixed),
  toHex: (number) => numberText(number, 16),
  uncurried,
});
