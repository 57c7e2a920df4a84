'use strict';
// Prints any value as Node's `util.inspect` does: what kind it is, its entries, their layout.
//
// An object becomes a shape: the text before its braces, the braces, its entries, its own keys. The
// entries are printed one level deeper and then laid out.
// Cost: linear in what is printed; see `internal/inspect-entries`.
// **Invariant:** a proxy is printed by its target; no trap of it runs.
// **Invariant:** what stands in an iterator of a Map or Set cannot be seen without taking it out;
// it prints as `<items unknown>`. `showProxy` prints the target alone.
// From `internal`: `proxyTarget(value)`, as in `internal/types`.

const types = require('internal/types');
const names = require('internal/inspect-names');
const text = require('internal/inspect-text');
const { layOut } = require('internal/inspect-layout');
const { errorText } = require('internal/inspect-error');
const parts = require('internal/inspect-entries');
const {
  Map: SafeMap, concat, each, entriesOf, find, includes, membersOf, pop, push, pushAll, repeat,
  replaceAll, slice, sort: sortOf, splice, test, textOfDate, textOfExpression, textOfNoDate, timeOf,
  toLowerCase, trim,
} = require('internal/primordials');

const CUSTOM = Symbol.for('nodejs.util.inspect.custom');
const OUTPUT_MAX = 2 ** 27; // characters at one indent; beyond, nothing goes deeper

const defaults = {
  showHidden: false, depth: 2, colors: false, customInspect: true, showProxy: false,
  maxArrayLength: 100, maxStringLength: 10000, breakLength: 80, compact: 3, sorted: false,
  getters: false, numericSeparator: false,
};

function inspect(value, options, legacyDepth, legacyColors) {
  if (options === undefined && !defaults.colors && !types.isObject(value) && value !== null &&
      typeof value !== 'string') {
    return text.primitiveText(defaults, text.plain, value);
  }
  const ctx = {
    ...defaults, stylize: text.plain, indent: 0, currentDepth: 0, seen: [], printed: new SafeMap(),
    circular: undefined, userOptions: undefined,
    print: (inner, depth) => valueText(ctx, inner, depth),
  };
  if (legacyDepth !== undefined) ctx.depth = legacyDepth;
  if (legacyColors !== undefined) ctx.colors = legacyColors;
  if (typeof options === 'boolean') {
    ctx.showHidden = options;
  } else if (options) {
    for (const key of each(Object.keys(options))) {
      if (Object.hasOwn(defaults, key) || key === 'stylize') ctx[key] = options[key];
      else ctx.userOptions = options;
    }
  }
  if (ctx.colors) ctx.stylize = text.colored;
  if (ctx.maxArrayLength === null) ctx.maxArrayLength = Infinity;
  if (ctx.maxStringLength === null) ctx.maxStringLength = Infinity;
  return valueText(ctx, value, 0);
}

function isTooDeep(ctx, depth) {
  return ctx.depth !== null && depth > ctx.depth;
}

function valueText(ctx, value, depth) {
  if (value === null) return ctx.stylize('null', 'null');
  if (typeof value !== 'object' && typeof value !== 'function') {
    return text.primitiveText(ctx, ctx.stylize, value);
  }
  let target = value;
  for (;;) {
    const inner = internal.proxyTarget(target);
    if (inner === null) return ctx.stylize('<Revoked Proxy>', 'special');
    if (inner === undefined) break;
    target = inner;
  }
  if (ctx.customInspect) {
    const custom = customText(ctx, value, target, depth);
    if (custom !== undefined) return custom;
  }
  if (includes(ctx.seen, target)) return circularText(ctx, target);
  return objectText(ctx, target, depth);
}

function customText(ctx, value, target, depth) {
  const custom = target[CUSTOM];
  if (typeof custom !== 'function' || custom === inspect) return undefined;
  // A prototype has the method but no instance's state.
  if (target.constructor && target.constructor.prototype === target) return undefined;
  const left = ctx.depth === null ? null : ctx.depth - depth;
  const result = Reflect.apply(custom, value, [left, optionsOf(ctx), inspect]);
  if (result === value) return undefined;
  if (typeof result !== 'string') return valueText(ctx, result, depth);
  return replaceAll(result, '\n', `\n${repeat(' ', ctx.indent)}`);
}

function optionsOf(ctx) {
  const options = { stylize: ctx.stylize };
  for (const key of each(Object.keys(defaults))) options[key] = ctx[key];
  return { ...options, ...ctx.userOptions };
}

function circularText(ctx, value) {
  ctx.circular ??= new SafeMap();
  let index = ctx.circular.get(value);
  if (index === undefined) {
    index = ctx.circular.size + 1;
    ctx.circular.set(value, index);
  }
  return ctx.stylize(`[Circular *${index}]`, 'special');
}

function objectText(ctx, value, depth) {
  const tooDeep = isTooDeep(ctx, depth);
  const describe = (proto) =>
    inspect(proto, { ...optionsOf(ctx), customInspect: false, depth: -1 });
  const constructor = names.constructorName(value, tooDeep ? undefined : describe);
  const tag = names.tagOf(value, ctx.showHidden);
  let inherited = [];
  if (ctx.showHidden && !tooDeep) inherited = inheritedTexts(ctx, value, depth);
  const shape = shapeOf(ctx, value, constructor, tag, tooDeep);
  if (shape.keys.length === 0 && inherited.length === 0 && shape.whenBare !== undefined) {
    return shape.whenBare;
  }
  if (tooDeep) {
    if (shape.whenDeep !== undefined) return shape.whenDeep;
    const name = slice(names.objectPrefix(value, constructor, tag), 0, -1);
    return ctx.stylize(constructor === null ? name : `[${name}]`, 'special');
  }
  return shapeText(ctx, value, shape, inherited, depth + 1);
}

function inheritedTexts(ctx, value, depth) {
  push(ctx.seen, value);
  const texts = names.prototypeProperties(value, (holder, key, descriptor) => {
    const property = parts.propertyText(ctx, holder, key, depth, { descriptor, receiver: value });
    return ctx.colors ? `\u001b[2m${property}\u001b[22m` : property;
  });
  pop(ctx.seen);
  return texts;
}

function shapeText(ctx, value, shape, inherited, depth) {
  push(ctx.seen, value);
  ctx.currentDepth = depth;
  const { indent } = ctx;
  let output;
  try {
    output = shape.entries === undefined ? [] : shape.entries(depth);
    for (const key of each(shape.keys)) push(output, parts.propertyText(ctx, value, key, depth));
  } catch (error) {
    if (!isStackOverflow(error)) throw error;
    pop(ctx.seen);
    ctx.indent = indent;
    const name = trim(slice(shape.braces[0], 0, -1)) || 'Object';
    return ctx.stylize(
      `[${name}: Inspection interrupted prematurely. Maximum call stack size exceeded.]`,
      'special');
  }
  pushAll(output, inherited);
  const reference = ctx.circular === undefined ? undefined : ctx.circular.get(value);
  if (reference !== undefined) {
    const mark = ctx.stylize(`<ref *${reference}>`, 'special');
    if (ctx.compact === true) shape.braces[0] = `${mark} ${shape.braces[0]}`;
    else shape.base = shape.base === '' ? mark : `${mark} ${shape.base}`;
  }
  pop(ctx.seen);
  if (ctx.sorted) sort(ctx, output, shape);
  const { base, braces, isList } = shape;
  const result = layOut(ctx, { output, base, braces, isList, depth, values: value });
  const printed = (ctx.printed.get(ctx.indent) ?? 0) + result.length;
  ctx.printed.set(ctx.indent, printed);
  if (printed > OUTPUT_MAX) ctx.depth = -1;
  return result;
}

function isStackOverflow(error) {
  return types.isError(error) && (error.name === 'RangeError' || error.name === 'InternalError') &&
    test(/stack/, error.message);
}

function sort(ctx, output, shape) {
  const order = ctx.sorted === true ? undefined : ctx.sorted;
  if (!shape.isList) {
    sortOf(output, order);
  } else if (shape.keys.length > 1) {
    const from = output.length - shape.keys.length;
    pushAll(output, sortOf(splice(output, from), order));
  }
}

// A shape is { base, braces, keys, entries, isList, whenBare, whenDeep }: `entries(depth)` prints
// what is no property, `whenBare` is the whole text where there is nothing to list, `whenDeep` the
// text below the last level.
function shapeOf(ctx, value, constructor, tag, tooDeep) {
  const of = { ctx, value, constructor, tag, tooDeep };
  if (Symbol.iterator in value || constructor === null) {
    const shape = iterableShape(of);
    if (shape !== undefined) return shape;
  }
  const keys = parts.keysOf(ctx, value);
  const shape = plainShape(of, keys) ?? builtInShape(of, keys);
  if (shape !== undefined) return shape;
  return braced(keys, names.objectPrefix(value, constructor, tag));
}

function braced(keys, prefix, entries) {
  const whenBare = entries === undefined ? `${prefix}{}` : undefined;
  return { base: '', braces: [`${prefix}{`, '}'], keys, entries, isList: false, whenBare };
}

function based(keys, base, whenBare = base) {
  return { base, braces: ['{', '}'], keys, entries: undefined, isList: false, whenBare };
}

function listed(keys, prefix, entries, isEmpty) {
  const whenBare = isEmpty ? `${prefix}[]` : undefined;
  return { base: '', braces: [`${prefix}[`, ']'], keys, entries, isList: true, whenBare };
}

function sized(keys, prefix, entries, size) {
  const shape = braced(keys, prefix, entries);
  if (size === 0) shape.whenBare = `${prefix}{}`;
  return shape;
}

function iterableShape({ ctx, value, constructor, tag }) {
  const prefix = (fallback, size) => names.prefixOf(constructor, tag, fallback, `(${size})`);
  if (Array.isArray(value)) {
    const ordinary = constructor === 'Array' && tag === '';
    return listed(parts.namedKeysOf(ctx, value), ordinary ? '' : prefix('Array', value.length),
      (depth) => parts.arrayTexts(ctx, value, depth), value.length === 0);
  }
  if (types.isSet(value)) {
    const size = types.setSize(value);
    return sized(parts.keysOf(ctx, value), prefix('Set', size), (depth) =>
      parts.membersTexts(ctx, membersOf, value, size, (item) =>
        valueText(ctx, item, depth)), size);
  }
  if (types.isMap(value)) {
    const size = types.mapSize(value);
    return sized(parts.keysOf(ctx, value), prefix('Map', size), (depth) =>
      parts.membersTexts(ctx, entriesOf, value, size, ({ 0: key, 1: item }) =>
        `${valueText(ctx, key, depth)} => ${valueText(ctx, item, depth)}`), size);
  }
  if (types.isTypedArray(value)) {
    const size = types.typedArrayLength(value);
    return listed(parts.namedKeysOf(ctx, value), prefix(types.typedArrayName(value), size),
      (depth) => parts.typedArrayTexts(ctx, value, size, depth), size === 0 && !ctx.showHidden);
  }
  for (const type of each(['Map', 'Set'])) {
    if (!types[`is${type}Iterator`](value)) continue;
    const own = `${type} Iterator`;
    const label = tag === own || tag === '' ? own : `${tag}] [${own}`;
    return braced(parts.keysOf(ctx, value), `[${label}] `, () => [parts.unknownItems(ctx)]);
  }
  return undefined;
}

function plainShape({ ctx, value, constructor, tag }, keys) {
  if (typeof value === 'function') {
    const base = names.functionText(value, constructor, tag);
    return based(keys, base, ctx.stylize(base, 'special'));
  }
  if (constructor === 'Object') {
    if (types.isArgumentsObject(value)) return braced(keys, '[Arguments] ');
    return braced(keys, tag === '' ? '' : names.prefixOf(constructor, tag, 'Object'));
  }
  return undefined;
}

function builtInShape(of, keys) {
  const { ctx, value, constructor, tag } = of;
  const prefix = (fallback) => names.prefixOf(constructor, tag, fallback);
  const marked = (type, base) => (prefix(type) === `${type} ` ? base : prefix(type) + base);
  if (types.isRegExp(value)) {
    const base = marked('RegExp', textOfExpression(
      constructor === null ? new RegExp(value) : value));
    const shape = based(keys, base, ctx.stylize(base, 'regexp'));
    shape.whenDeep = shape.whenBare;
    return shape;
  }
  if (types.isDate(value)) {
    const valid = !Number.isNaN(timeOf(value));
    const base = marked('Date', (valid ? textOfDate : textOfNoDate)(value));
    return based(keys, base, ctx.stylize(base, 'date'));
  }
  if (types.isError(value)) return based(keys, errorText(ctx, value, constructor, tag, keys));
  if (types.isAnyArrayBuffer(value)) {
    const type = types.isArrayBuffer(value) ? 'ArrayBuffer' : 'SharedArrayBuffer';
    return braced(concat(['byteLength'], keys), prefix(type), () => [parts.bytesText(ctx, value)]);
  }
  if (types.isDataView(value)) {
    return braced(concat(['byteLength', 'byteOffset', 'buffer'], keys), prefix('DataView'));
  }
  if (types.isPromise(value)) {
    return braced(keys, prefix('Promise'), (depth) => [parts.promiseText(ctx, value, depth)]);
  }
  for (const type of each(['WeakSet', 'WeakMap'])) {
    if (types[`is${type}`](value)) {
      return braced(keys, prefix(type), () => [parts.unknownItems(ctx)]);
    }
  }
  if (types.isModuleNamespaceObject(value)) {
    return braced([], prefix('Module'), (depth) => parts.moduleTexts(ctx, value, keys, depth));
  }
  return types.isBoxedPrimitive(value) ? boxedShape(of, keys) : undefined;
}

function boxedShape({ ctx, value, constructor, tag }, keys) {
  const type = find(['Number', 'String', 'Boolean', 'BigInt', 'Symbol'], (name) =>
    types[`is${name}Object`](value));
  const inner = types.unboxed(value, type);
  if (type === 'String') splice(keys, 0, inner.length);
  const base = names.boxedText(value, type, constructor, tag,
    text.primitiveText(ctx, text.plain, inner));
  return based(keys, base, ctx.stylize(base, toLowerCase(type)));
}

module.exports = { inspect, defaults, CUSTOM };
