'use strict';
// The text of primitives: quoted strings, numbers, symbols; colours; the width of text on a screen.
//
// Cost: one pass over a string that needs no escape.
// From `internal`: nothing.

const {
  charCodeAt, chars, codePointAt, forEach, includes, join, map, normalize, padStart, repeat,
  replace, slice, split, test, textOfSymbol, toHex, toUpperCase,
} = require('internal/primordials');

const ESCAPES = { '\b': '\\b', '\t': '\\t', '\n': '\\n', '\f': '\\f', '\r': '\\r', '\\': '\\\\' };
// What must not stand raw between quotes: controls, the backslash, half a surrogate pair.
const CONTROLS = '[\\x00-\\x1f\\x5c\\x7f-\\x9f]';
const HALVES = '[\\ud800-\\udbff](?![\\udc00-\\udfff])|(?<![\\ud800-\\udbff])[\\udc00-\\udfff]';
const UNSAFE = new RegExp(`${CONTROLS}|${HALVES}`);
const UNSAFE_EACH = new RegExp(`${CONTROLS}|${HALVES}`, 'g');
const UNSAFE_OR_QUOTE_EACH = new RegExp(`'|${CONTROLS}|${HALVES}`, 'g');
const IDENTIFIER = /^[a-zA-Z_][a-zA-Z_0-9]*$/;
// Control sequences (CSI), operating system commands (OSC), and the two-character escapes.
const CSI = '(?:\\u001b\\[|\\u009b)[0-?]*[ -/]*[@-~]';
const OSC = '\\u001b\\][^\\u0007\\u001b\\u009c]*(?:\\u0007|\\u001b\\\\|\\u009c)';
const ANSI = new RegExp(`${CSI}|${OSC}|\\u001b[@-Z\\\\-_]`, 'g');
// A string longer than this is broken at its newlines where it does not fit its line.
const MIN_LINE_LENGTH = 16;

const COLORS = {
  __proto__: null,
  reset: [0, 0], bold: [1, 22], dim: [2, 22], italic: [3, 23], underline: [4, 24], blink: [5, 25],
  inverse: [7, 27], hidden: [8, 28], strikethrough: [9, 29], doubleunderline: [21, 24],
  framed: [51, 54], overlined: [53, 55],
};
const HUES = ['black', 'red', 'green', 'yellow', 'blue', 'magenta', 'cyan', 'white'];
forEach(HUES, (hue, i) => {
  const name = hue === 'black' ? 'gray' : `${hue}Bright`;
  const capital = (text) => `bg${toUpperCase(text[0])}${slice(text, 1)}`;
  COLORS[hue] = [30 + i, 39];
  COLORS[capital(hue)] = [40 + i, 49];
  COLORS[name] = [90 + i, 39];
  COLORS[capital(name)] = [100 + i, 49];
});
COLORS.grey = COLORS.gray;

const STYLES = {
  __proto__: null,
  special: 'cyan', number: 'yellow', bigint: 'yellow', boolean: 'yellow', undefined: 'grey',
  null: 'bold', string: 'green', symbol: 'green', date: 'magenta', regexp: 'red',
  module: 'underline',
};

function plain(text) {
  return text;
}

function colored(text, style) {
  const color = COLORS[STYLES[style]];
  return color === undefined ? text : `\u001b[${color[0]}m${text}\u001b[${color[1]}m`;
}

function escapeOne(char) {
  if (char === '\'') return '\\\'';
  const known = ESCAPES[char];
  if (known !== undefined) return known;
  const code = charCodeAt(char, 0);
  const hex = toHex(code);
  return code < 256 ? `\\x${toUpperCase(padStart(hex, 2, '0'))}` : `\\u${hex}`;
}

function escapeText(text) {
  return replace(text, UNSAFE_OR_QUOTE_EACH, escapeOne);
}

// Single quotes, unless the text holds one: then double quotes, then backticks.
function quote(text) {
  let mark = '\'';
  if (includes(text, '\'')) {
    if (!includes(text, '"')) mark = '"';
    else if (!includes(text, '`') && !includes(text, '${')) mark = '`';
    else return `'${escapeText(text)}'`;
  }
  if (!test(UNSAFE, text)) return mark + text + mark;
  return mark + replace(text, UNSAFE_EACH, escapeOne) + mark;
}

function quoteKey(key) {
  return test(IDENTIFIER, key) ? key : quote(key);
}

function groupDigits(digits) {
  const start = digits[0] === '-' ? 1 : 0;
  let out = '';
  let end = digits.length;
  for (; end >= start + 4; end -= 3) out = `_${slice(digits, end - 3, end)}${out}`;
  return slice(digits, 0, end) + out;
}

function groupFraction(digits) {
  return replace(digits, /\d{3}(?=\d)/g, (three) => `${three}_`);
}

function numberText(number, separated) {
  if (Object.is(number, -0)) return separated ? '0' : '-0';
  const text = `${number}`;
  if (!separated || !Number.isFinite(number) || includes(text, 'e')) return text;
  const { 0: whole, 1: fraction } = split(text, '.');
  const grouped = groupDigits(whole);
  return fraction === undefined ? grouped : `${grouped}.${groupFraction(fraction)}`;
}

function bigintText(number, separated) {
  return `${separated ? groupDigits(`${number}`) : number}n`;
}

function stringText(ctx, stylize, value) {
  let text = value;
  let trailer = '';
  if (text.length > ctx.maxStringLength) {
    const rest = text.length - ctx.maxStringLength;
    text = slice(text, 0, ctx.maxStringLength);
    trailer = `... ${rest} more character${rest > 1 ? 's' : ''}`;
  }
  if (ctx.compact === true || text.length <= MIN_LINE_LENGTH ||
      text.length <= ctx.breakLength - ctx.indent - 4) {
    return stylize(quote(text), 'string') + trailer;
  }
  const lines = map(split(text, /(?<=\n)/g), (line) => stylize(quote(line), 'string'));
  return join(lines, ` +\n${repeat(' ', ctx.indent + 2)}`) + trailer;
}

function primitiveText(ctx, stylize, value) {
  switch (typeof value) {
    case 'string':
      return stringText(ctx, stylize, value);
    case 'number':
      return stylize(numberText(value, ctx.numericSeparator), 'number');
    case 'bigint':
      return stylize(bigintText(value, ctx.numericSeparator), 'bigint');
    case 'symbol':
      return stylize(symbolText(value), 'symbol');
    case 'boolean':
      return stylize(`${value}`, 'boolean');
    default:
      return stylize('undefined', 'undefined');
  }
}

function symbolText(symbol) {
  return textOfSymbol(symbol);
}

function stripColors(text) {
  return replace(text, ANSI, '');
}

function isWide(code) {
  return code >= 0x1100 && (
    code <= 0x115f || code === 0x2329 || code === 0x232a ||
    (code >= 0x2e80 && code <= 0x3247 && code !== 0x303f) ||
    (code >= 0x3250 && code <= 0x4dbf) || (code >= 0x4e00 && code <= 0xa4c6) ||
    (code >= 0xa960 && code <= 0xa97c) || (code >= 0xac00 && code <= 0xd7a3) ||
    (code >= 0xf900 && code <= 0xfaff) || (code >= 0xfe10 && code <= 0xfe19) ||
    (code >= 0xfe30 && code <= 0xfe6b) || (code >= 0xff01 && code <= 0xff60) ||
    (code >= 0xffe0 && code <= 0xffe6) || (code >= 0x1b000 && code <= 0x1b001) ||
    (code >= 0x1f200 && code <= 0x1f251) || (code >= 0x1f300 && code <= 0x1f64f) ||
    (code >= 0x1f900 && code <= 0x1f9ff) || (code >= 0x20000 && code <= 0x3fffd));
}

function isZeroWidth(code) {
  return code <= 0x1f || (code >= 0x7f && code <= 0x9f) || (code >= 0x300 && code <= 0x36f) ||
    (code >= 0x200b && code <= 0x200f) || (code >= 0x20d0 && code <= 0x20ff) ||
    (code >= 0xfe00 && code <= 0xfe0f) || (code >= 0xfe20 && code <= 0xfe2f) ||
    (code >= 0xe0100 && code <= 0xe01ef);
}

// Columns of a terminal that the text takes.
function widthOf(text, mayHaveColors = true) {
  if (test(/^[\x20-\x7e]*$/, text)) return text.length;
  const bare = normalize(mayHaveColors ? stripColors(text) : text, 'NFC');
  let width = 0;
  for (const char of chars(bare)) {
    const code = codePointAt(char, 0);
    if (isWide(code)) width += 2;
    else if (!isZeroWidth(code)) width += 1;
  }
  return width;
}

module.exports = {
  COLORS, STYLES, plain, colored, escapeText, quote, quoteKey, groupDigits, numberText, bigintText,
  primitiveText, symbolText, stripColors, widthOf,
};
