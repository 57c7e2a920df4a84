'use strict';
// Where the lines of an inspected object break, and how long lists fall into columns.
//
// Cost: linear in the text laid out.
// From `internal`: nothing.

const { stripColors, widthOf } = require('internal/inspect-text');
const {
  each, includes, join, padEnd, padStart, push, reduce, repeat,
} = require('internal/primordials');

const SEPARATOR = 2; // ", "
const COLUMNS_MAX = 15;
const GROUPED_FROM = 7; // a list of fewer entries stays as it is
const CHAR_HEIGHT = 2.5; // a character is about this much higher than wide
const ONE_LINE_SLACK = 10;

function columnCount(ctx, lengths, entries) {
  const total = reduce(lengths, (sum, length) => sum + length + SEPARATOR, 0);
  const longest = reduce(lengths, (max, length) => Math.max(max, length), 0);
  const cell = longest + SEPARATOR;
  const fits = cell * 3 + ctx.indent < ctx.breakLength;
  if (!fits || (total / cell <= 5 && longest > 6)) return 1;
  // Short entries among long ones want more columns than the longest would allow.
  const bias = Math.sqrt(cell - total / entries);
  const biased = Math.max(cell - 3 - bias, 1);
  return Math.min(
    Math.round(Math.sqrt(CHAR_HEIGHT * biased * lengths.length) / biased),
    Math.floor((ctx.breakLength - ctx.indent) / cell),
    ctx.compact * 4,
    COLUMNS_MAX,
  );
}

function isNumeric(values, count) {
  for (let i = 0; i < count; i++) {
    if (typeof values[i] !== 'number' && typeof values[i] !== 'bigint') return false;
  }
  return true;
}

function rowText(output, lengths, widths, from, to, alignRight) {
  let row = '';
  for (let i = from; i < to; i++) {
    const last = i === to - 1;
    const cell = last ? output[i] : `${output[i]}, `;
    // Colours take characters but no columns.
    const width = widths[i - from] + output[i].length - lengths[i] - (last ? SEPARATOR : 0);
    if (alignRight) row += padStart(cell, width);
    else row += last ? cell : padEnd(cell, width);
  }
  return row;
}

// Puts the entries of a list side by side in columns of equal width; numbers to the right.
function group(ctx, output, values) {
  // The entry "... more items" is no member of the columns.
  const hasMore = ctx.maxArrayLength < output.length;
  const count = hasMore ? output.length - 1 : output.length;
  const lengths = [];
  for (let i = 0; i < count; i++) push(lengths, widthOf(output[i], ctx.colors));
  const columns = columnCount(ctx, lengths, output.length);
  if (columns <= 1) return output;
  const widths = [];
  for (let i = 0; i < columns; i++) {
    let width = 0;
    for (let j = i; j < count; j += columns) width = Math.max(width, lengths[j]);
    push(widths, width + SEPARATOR);
  }
  const alignRight = values === undefined || isNumeric(values, output.length);
  const rows = [];
  for (let i = 0; i < count; i += columns) {
    const end = Math.min(i + columns, count);
    push(rows, rowText(output, lengths, widths, i, end, alignRight));
  }
  if (hasMore) push(rows, output[count]);
  return rows;
}

function fitsOneLine(ctx, output, start, base) {
  let length = output.length + start;
  if (length + output.length > ctx.breakLength) return false;
  for (const entry of each(output)) {
    length += ctx.colors ? stripColors(entry).length : entry.length;
    if (length > ctx.breakLength) return false;
  }
  return base === '' || !includes(base, '\n');
}

function layOutTight(ctx, output, base, braces) {
  if (fitsOneLine(ctx, output, 0, base)) {
    return `${braces[0]}${base ? ` ${base}` : ''} ${join(output, ', ')} ${braces[1]}`;
  }
  const indent = repeat(' ', ctx.indent);
  const head = base === '' && braces[0].length === 1 ?
    ' ' : `${base ? ` ${base}` : ''}\n${indent}  `;
  return `${braces[0]}${head}${join(output, `,\n${indent}  `)} ${braces[1]}`;
}

// `shape` is { output, base, braces, isList, depth, values }: the entries' texts, what stands
// before the braces, the braces, whether columns are allowed, how deep the object stands.
function layOut(ctx, shape) {
  const { base, braces, depth } = shape;
  let { output } = shape;
  if (ctx.compact === true) return layOutTight(ctx, output, base, braces);
  const lead = base ? `${base} ` : '';
  if (ctx.compact !== false && ctx.compact >= 1) {
    const entries = output.length;
    if (shape.isList && entries >= GROUPED_FROM) output = group(ctx, output, shape.values);
    // The innermost levels, as many as `compact`, share a line where they fit.
    if (ctx.currentDepth - depth < ctx.compact && entries === output.length) {
      const start = output.length + ctx.indent + braces[0].length + base.length + ONE_LINE_SLACK;
      if (fitsOneLine(ctx, output, start, base)) {
        const line = join(output, ', ');
        if (!includes(line, '\n')) return `${lead}${braces[0]} ${line} ${braces[1]}`;
      }
    }
  }
  const newline = `\n${repeat(' ', ctx.indent)}`;
  return `${lead}${braces[0]}${newline}  ${join(output, `,${newline}  `)}${newline}${braces[1]}`;
}

module.exports = { layOut };
