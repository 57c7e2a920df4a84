'use strict';
// What an object is called: its constructor's name, its tag, and the words before its brace.
//
// Cost: a walk up the prototypes to the first constructor.
// From `internal`: nothing.

const types = require('internal/types');
const {
  each, endsWith, filter, find, includes, indexOf, isEnumerable, push, setOf, slice, some,
  startsWith, tagOf: tagTextOf, test, textOfFunction,
} = require('internal/primordials');

const LAYERS_MAX = 3; // prototypes whose properties `showHidden` lists
const KINDS = [
  'Map', 'Set', 'WeakMap', 'WeakSet', 'Promise', 'ArrayBuffer', 'SharedArrayBuffer', 'DataView',
  'Error',
];
const BUILT_IN = setOf([
  'Object', 'Function', 'Array', 'Number', 'Boolean', 'String', 'Symbol', 'BigInt', 'Date',
  'Promise', 'RegExp', 'Error', 'AggregateError', 'EvalError', 'RangeError', 'ReferenceError',
  'SyntaxError', 'TypeError', 'URIError', 'ArrayBuffer', 'SharedArrayBuffer', 'DataView',
  'Uint8Array', 'Int8Array', 'Uint16Array', 'Int16Array', 'Uint32Array', 'Int32Array',
  'Float32Array', 'Float64Array', 'Uint8ClampedArray', 'BigUint64Array', 'BigInt64Array',
  'Map', 'Set', 'WeakMap', 'WeakSet', 'WeakRef', 'FinalizationRegistry', 'Proxy', 'Reflect',
  'Iterator',
]);

function isInstance(value, constructor) {
  try {
    return value instanceof constructor;
  } catch {
    return false;
  }
}

function constructorOf(proto, value) {
  const found = Object.getOwnPropertyDescriptor(proto, 'constructor');
  const constructor = found === undefined ? undefined : found.value;
  if (typeof constructor !== 'function' || constructor.name === '') return undefined;
  return isInstance(value, constructor) ? constructor : undefined;
}

// The name for a thing without a constructor: its tag, or its kind.
function slotName(value) {
  if (typeof value === 'function') return 'Function';
  if (Array.isArray(value)) return 'Array';
  const view = types.typedArrayName(value);
  if (view !== undefined) return view;
  const kind = find(KINDS, (name) => types[`is${name}`](value));
  if (kind !== undefined) return kind;
  const tag = value[Symbol.toStringTag];
  if (typeof tag === 'string' && tag !== '') return tag;
  const name = slice(tagTextOf(value), 8, -1);
  return name === 'Arguments' ? 'Object' : name;
}

// The constructor's name; null for an object without prototype; `describe` prints a prototype that
// leads to no constructor, and is undefined below the last level.
function constructorName(value, describe) {
  for (let proto = value; proto !== null; proto = Object.getPrototypeOf(proto)) {
    const constructor = constructorOf(proto, value);
    if (constructor !== undefined) return String(constructor.name);
  }
  const first = Object.getPrototypeOf(value);
  if (first === null) return null;
  if (describe === undefined) return `${slotName(value)} <Complex prototype>`;
  const above = constructorName(first, describe);
  return `${slotName(value)} <${above === null ? describe(first) : above}>`;
}

// Properties of the classes above `value`, which are no functions and no built-in ones; each is
// handed to `print(holder, key, descriptor)`, once.
function prototypeProperties(value, print) {
  const out = [];
  const seen = new Set();
  let proto = value;
  for (let layer = 0; layer < LAYERS_MAX; layer++) {
    proto = Object.getPrototypeOf(proto);
    if (proto === null) break;
    const found = Object.getOwnPropertyDescriptor(proto, 'constructor');
    const constructor = found === undefined ? undefined : found.value;
    if (typeof constructor === 'function' && BUILT_IN.has(constructor.name)) break;
    const keys = Reflect.ownKeys(proto);
    for (const key of each(keys)) {
      if (key === 'constructor' || Object.hasOwn(value, key) || seen.has(key)) continue;
      const descriptor = Object.getOwnPropertyDescriptor(proto, key);
      if (typeof descriptor.value !== 'function') push(out, print(proto, key, descriptor));
    }
    for (const key of each(keys)) seen.add(key);
  }
  return out;
}

// The tag, unless it is an own property that is printed anyway.
function tagOf(value, showHidden) {
  const tag = value[Symbol.toStringTag];
  if (typeof tag !== 'string' || tag === '') return '';
  const printed = showHidden ? Object.hasOwn(value, Symbol.toStringTag) :
    isEnumerable(value, Symbol.toStringTag);
  return printed ? '' : tag;
}

// What stands before the brace: `Foo `, `Foo [tag] `, `[Map(2): null prototype] `.
function prefixOf(constructor, tag, fallback, size = '') {
  if (constructor === null) {
    const tagged = tag !== '' && fallback !== tag ? `[${tag}] ` : '';
    return `[${fallback}${size}: null prototype] ${tagged}`;
  }
  return `${constructor}${size} ${tag !== '' && constructor !== tag ? `[${tag}] ` : ''}`;
}

function objectPrefix(value, constructor, tag) {
  let fallback = '';
  if (constructor === null) {
    fallback = slotName(value);
    if (fallback === tag) fallback = 'Object';
  }
  return prefixOf(constructor, tag, fallback);
}

function isClass(source) {
  if (!startsWith(source, 'class') || !endsWith(source, '}')) return false;
  const brace = indexOf(source, '{');
  if (brace === -1) return false;
  // A function may be called `classify`; a class may extend a call.
  return !includes(slice(source, 0, brace), '(') || test(/^class[\s{/]/, source);
}

function classText(value, constructor, tag) {
  const name = (Object.hasOwn(value, 'name') && value.name) || '(anonymous)';
  let text = `class ${name}`;
  if (constructor !== 'Function' && constructor !== null) text += ` [${constructor}]`;
  if (tag !== '' && constructor !== tag) text += ` [${tag}]`;
  if (constructor === null) {
    text += ' extends [null prototype]';
  } else {
    const above = Object.getPrototypeOf(value).name;
    if (above) text += ` extends ${above}`;
  }
  return `[${text}]`;
}

function functionText(value, constructor, tag) {
  if (isClass(textOfFunction(value))) return classText(value, constructor, tag);
  let type = 'Function';
  if (types.isGeneratorFunction(value)) type = `Generator${type}`;
  if (types.isAsyncFunction(value)) type = `Async${type}`;
  let text = `[${type}`;
  if (constructor === null) text += ' (null prototype)';
  text += value.name === '' ? ' (anonymous)]' : `: ${String(value.name)}]`;
  if (constructor !== type && constructor !== null) text += ` ${constructor}`;
  if (tag !== '' && constructor !== tag) text += ` [${tag}]`;
  return text;
}

function boxedText(value, type, constructor, tag, inner) {
  let text = `[${type}`;
  if (type !== constructor) text += ` (${constructor === null ? 'null prototype' : constructor})`;
  text += `: ${inner}]`;
  return tag !== '' && tag !== constructor ? `${text} [${tag}]` : text;
}

// Whether `%s` prints an object by `inspect`: its own text would be a built-in one.
function hasBuiltInText(value) {
  const methods = filter(['toString', Symbol.toPrimitive], (key) => {
    return typeof value[key] === 'function';
  });
  if (methods.length === 0) return true;
  let holder = value;
  while (!some(methods, (key) => Object.hasOwn(holder, key))) {
    holder = Object.getPrototypeOf(holder);
    if (holder === null) return true;
  }
  if (holder === value) return false;
  const found = Object.getOwnPropertyDescriptor(holder, 'constructor');
  return found !== undefined && typeof found.value === 'function' && BUILT_IN.has(found.value.name);
}

module.exports = {
  constructorName, prototypeProperties, tagOf, prefixOf, objectPrefix, functionText, boxedText,
  hasBuiltInText,
};
