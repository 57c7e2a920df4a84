'use strict';
// The table that `console.table` draws.
//
// Cost: linear in the cells.
// From `internal`: nothing.

const { inspect, widthOf } = require('internal/inspect');
const types = require('internal/types');

const ITEMS_MAX = 3; // entries of a list that a cell shows
const INDEX = '(index)';
const STEP = '(iteration index)';
const KEY = 'Key';
const VALUES = 'Values';

function isPrimitive(value) {
  return value === null || (typeof value !== 'object' && typeof value !== 'function');
}

function cellText(value) {
  const isList = Array.isArray(value) || types.isTypedArray(value);
  const isLarge = value !== null && typeof value === 'object' && !isList &&
    Object.keys(value).length > 2;
  const depth = isLarge ? -1 : 0;
  return inspect(value, { depth, maxArrayLength: ITEMS_MAX, breakLength: Infinity });
}

// Columns are { head, cells }; a cell that is missing is empty.
function draw(columns) {
  const rows = columns.reduce((max, { cells }) => Math.max(max, cells.length), 0);
  const widths = columns.map(({ head, cells }) =>
    cells.reduce((max, cell) => Math.max(max, widthOf(cell ?? '')), widthOf(head)));
  const line = (left, middle, right) =>
    left + widths.map((width) => '─'.repeat(width + 2)).join(middle) + right;
  const row = (cells) =>
    `│ ${cells.map((cell, i) => cell + ' '.repeat(widths[i] - widthOf(cell))).join(' │ ')} │`;
  const lines = [line('┌', '┬', '┐'), row(columns.map(({ head }) => head)), line('├', '┼', '┤')];
  for (let i = 0; i < rows; i++) lines.push(row(columns.map(({ cells }) => cells[i] ?? '')));
  lines.push(line('└', '┴', '┘'));
  return lines.join('\n');
}

function stepCells(length) {
  return Array.from({ length }, (_, i) => cellText(i));
}

function mapColumns(map) {
  const entries = [...map];
  return [
    { head: STEP, cells: stepCells(entries.length) },
    { head: KEY, cells: entries.map(([key]) => cellText(key)) },
    { head: VALUES, cells: entries.map(([, value]) => cellText(value)) },
  ];
}

function setColumns(set) {
  const cells = [...set].map(cellText);
  return [{ head: STEP, cells: stepCells(cells.length) }, { head: VALUES, cells }];
}

function objectColumns(data, wanted) {
  const rows = Object.keys(data);
  const columns = Object.create(null);
  const values = [];
  let hasValues = false;
  rows.forEach((row, i) => {
    const item = data[row];
    if (wanted === undefined && isPrimitive(item)) {
      values[i] = cellText(item);
      hasValues = true;
      return;
    }
    for (const key of wanted ?? Object.keys(item)) {
      columns[key] ??= [];
      const has = !isPrimitive(item) && Object.hasOwn(item, key);
      columns[key][i] = has ? cellText(item[key]) : '';
    }
  });
  const all = Object.keys(columns).map((head) => ({ head, cells: columns[head] }));
  if (hasValues) all.push({ head: VALUES, cells: values });
  return [{ head: INDEX, cells: rows }, ...all];
}

function tableText(data, wanted) {
  if (types.isMap(data)) return draw(mapColumns(data));
  if (types.isSet(data)) return draw(setColumns(data));
  return draw(objectColumns(data, wanted));
}

module.exports = { tableText };
