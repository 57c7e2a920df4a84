'use strict';
// The entries of an inspected object: elements, members, bytes, properties, each as its text.
//
// Cost: linear in what is shown; the keys of a list or typed array are all listed once.
// **Invariant:** no getter runs unless the option `getters` asks for it.
// From `internal`: `promiseState(value)`, as in `internal/types`.
// `ctx.print(value, depth)` prints a value one level deeper.

const types = require('internal/types');
const text = require('internal/inspect-text');
const {
  concat, each, isEnumerable, join, map, padStart, push, repeat, slice, toHex,
} = require('internal/primordials');

const INDEX_MAX = 2 ** 32 - 2;
const REJECTED = 2;
const HIDDEN_OF_VIEW = ['BYTES_PER_ELEMENT', 'length', 'byteLength', 'byteOffset', 'buffer'];

function keysOf(ctx, value) {
  const symbols = Object.getOwnPropertySymbols(value);
  if (ctx.showHidden) return concat(Object.getOwnPropertyNames(value), symbols);
  let keys;
  try {
    keys = Object.keys(value);
  } catch {
    // A module that has not run yet: its names are known, its values are not.
    keys = Object.getOwnPropertyNames(value);
  }
  for (const symbol of each(symbols)) if (isEnumerable(value, symbol)) push(keys, symbol);
  return keys;
}

function isIndex(key) {
  const number = Number(key);
  return Number.isInteger(number) && number >= 0 && number <= INDEX_MAX && `${number}` === key;
}

// The keys of a list that are no index; indices come first in an object's order.
function namedKeysOf(ctx, value) {
  const keys = keysOf(ctx, value);
  let start = keys.length;
  while (start > 0 && (typeof keys[start - 1] === 'symbol' || !isIndex(keys[start - 1]))) start--;
  return slice(keys, start);
}

function moreItems(count) {
  return `... ${count} more item${count > 1 ? 's' : ''}`;
}

function shownOf(ctx, length) {
  return Math.min(Math.max(0, ctx.maxArrayLength), length);
}

function arrayTexts(ctx, value, depth) {
  const shown = shownOf(ctx, value.length);
  const output = [];
  for (let i = 0; i < shown; i++) {
    if (!Object.hasOwn(value, i)) return sparseTexts(ctx, value, depth, shown, output);
    push(output, elementText(ctx, value, i, depth));
  }
  if (value.length > shown) push(output, moreItems(value.length - shown));
  return output;
}

// A list with holes, from its first hole on: a run of holes is one entry.
function sparseTexts(ctx, value, depth, shown, output) {
  const holes = (count) =>
    ctx.stylize(`<${count} empty item${count > 1 ? 's' : ''}>`, 'undefined');
  let next = output.length;
  const keys = Object.keys(value);
  for (let i = next; i < keys.length && output.length < shown && isIndex(keys[i]); i++) {
    const index = Number(keys[i]);
    if (index !== next) {
      push(output, holes(index - next));
      next = index;
      if (output.length === shown) break;
    }
    push(output, elementText(ctx, value, keys[i], depth));
    next++;
  }
  const rest = value.length - next;
  if (rest > 0) push(output, output.length < shown ? holes(rest) : moreItems(rest));
  return output;
}

// `take` is `entriesOf` or `membersOf`.
function membersTexts(ctx, take, value, size, print) {
  const shown = shownOf(ctx, size);
  const output = [];
  ctx.indent += 2;
  if (shown > 0) {
    for (const item of each(take(value, shown))) push(output, print(item));
  }
  if (size > shown) push(output, moreItems(size - shown));
  ctx.indent -= 2;
  return output;
}

function typedArrayTexts(ctx, value, size, depth) {
  const shown = shownOf(ctx, size);
  const output = [];
  for (let i = 0; i < shown; i++) push(output, text.primitiveText(ctx, ctx.stylize, value[i]));
  if (size > shown) push(output, moreItems(size - shown));
  if (ctx.showHidden) {
    ctx.indent += 2;
    for (const key of each(HIDDEN_OF_VIEW)) {
      const inner = types.viewField(value, key);
      push(output, `[${key}]: ${types.isAnyArrayBuffer(inner) ?
        hiddenBufferText(ctx, inner, depth) : ctx.print(inner, depth)}`);
    }
    ctx.indent -= 2;
  }
  return output;
}

// The buffer below a view: its length alone, since its bytes stand in the view.
function hiddenBufferText(ctx, buffer, depth) {
  const type = types.isArrayBuffer(buffer) ? 'ArrayBuffer' : 'SharedArrayBuffer';
  const own = keysOf(ctx, buffer);
  if (own.length !== 0) return ctx.print(buffer, depth);
  return `${type} { byteLength: ${ctx.stylize(`${buffer.byteLength}`, 'number')} }`;
}

function bytesText(ctx, buffer) {
  let bytes;
  try {
    bytes = new Uint8Array(buffer);
  } catch {
    return ctx.stylize('(detached)', 'special');
  }
  const shown = shownOf(ctx, bytes.length);
  const hex = [];
  for (let i = 0; i < shown; i++) hex[i] = padStart(toHex(bytes[i]), 2, '0');
  const rest = bytes.length - shown;
  const more = rest > 0 ? ` ... ${rest} more byte${rest > 1 ? 's' : ''}` : '';
  return `${ctx.stylize('[Uint8Contents]', 'special')}: <${join(hex, ' ')}${more}>`;
}

function promiseText(ctx, promise, depth) {
  const { 0: state, 1: result } = internal.promiseState(promise);
  if (state === 0) return ctx.stylize('<pending>', 'special');
  ctx.indent += 2;
  const inner = ctx.print(result, depth);
  ctx.indent -= 2;
  return state === REJECTED ? `${ctx.stylize('<rejected>', 'special')} ${inner}` : inner;
}

function moduleTexts(ctx, value, keys, depth) {
  return map(keys, (key) => {
    try {
      return propertyText(ctx, value, key, depth);
    } catch (error) {
      if (!(error instanceof ReferenceError)) throw error;
      return `${keyText(ctx, key, true)}: ${ctx.stylize('<uninitialized>', 'special')}`;
    }
  });
}

function elementText(ctx, value, index, depth) {
  const descriptor = Object.getOwnPropertyDescriptor(value, index);
  return descriptorText(ctx, descriptor, value, depth, 2);
}

function propertyText(ctx, value, key, depth, from = {}) {
  const descriptor = from.descriptor ?? Object.getOwnPropertyDescriptor(value, key) ??
    { value: value[key], enumerable: true };
  const indent = ctx.compact === true ? 3 : 2;
  const printed = descriptorText(ctx, descriptor, from.receiver ?? value, depth, indent);
  let gap = ' ';
  if (indent === 3 && descriptor.value !== undefined &&
      ctx.breakLength < text.widthOf(printed, ctx.colors)) {
    gap = `\n${repeat(' ', ctx.indent + indent)}`;
  }
  return `${keyText(ctx, key, descriptor.enumerable)}:${gap}${printed}`;
}

function descriptorText(ctx, descriptor, receiver, depth, indent) {
  if (descriptor.value !== undefined) {
    ctx.indent += indent;
    const printed = ctx.print(descriptor.value, depth);
    ctx.indent -= indent;
    return printed;
  }
  if (descriptor.get !== undefined) return getterText(ctx, descriptor, receiver, depth);
  if (descriptor.set !== undefined) return ctx.stylize('[Setter]', 'special');
  return ctx.stylize('undefined', 'undefined');
}

function getterText(ctx, descriptor, receiver, depth) {
  const special = (part) => ctx.stylize(part, 'special');
  const label = descriptor.set === undefined ? 'Getter' : 'Getter/Setter';
  const asked = ctx.getters === true ||
    ctx.getters === (descriptor.set === undefined ? 'get' : 'set');
  if (!asked) return special(`[${label}]`);
  try {
    const value = Reflect.apply(descriptor.get, receiver, []);
    ctx.indent += 2;
    const printed = ctx.print(value, depth);
    ctx.indent -= 2;
    if (value !== null && typeof value === 'object') return `${special(`[${label}]`)} ${printed}`;
    return `${special(`[${label}:`)} ${printed}${special(']')}`;
  } catch (error) {
    return `${special(`[${label}:`)} <Inspection threw (${error.message})>${special(']')}`;
  }
}

function keyText(ctx, key, isEnumerable) {
  if (typeof key === 'symbol') {
    return `[${ctx.stylize(text.escapeText(text.symbolText(key)), 'symbol')}]`;
  }
  if (key === '__proto__') return '[\'__proto__\']';
  if (isEnumerable === false) return `[${text.escapeText(key)}]`;
  const quoted = text.quoteKey(key);
  return ctx.stylize(quoted, quoted === key ? 'name' : 'string');
}

function unknownItems(ctx) {
  return ctx.stylize('<items unknown>', 'special');
}

module.exports = {
  keysOf, namedKeysOf, arrayTexts, membersTexts, typedArrayTexts, bytesText, promiseText,
  moduleTexts, propertyText, unknownItems,
};
