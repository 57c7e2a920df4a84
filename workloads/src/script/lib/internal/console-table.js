'use strict';
// The table that `console.table` draws.
//
// Cost: linear in the cells.
// From `internal`: nothing.

const { inspect, widthOf } = require('internal/inspect');
const types = require('internal/types');
const {
  concat, each, entriesOf, forEach, join, map: mapOf, membersOf, push, reduce, repeat,
} = require('internal/primordials');

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
  const rows = reduce(columns, (max, { cells }) => Math.max(max, cells.length), 0);
  const widths = mapOf(columns, ({ head, cells }) =>
    reduce(cells, (max, cell) => Math.max(max, widthOf(cell ?? '')), widthOf(head)));
  const line = (left, middle, right) =>
    left + join(mapOf(widths, (width) => repeat('─', width + 2)), middle) + right;
  const padded = (cell, i) => cell + repeat(' ', widths[i] - widthOf(cell));
  const row = (cells) =>
    `│ ${join(mapOf(cells, padded), ' │ ')} │`;
  const heads = mapOf(columns, ({ head }) => head);
  const lines = [line('┌', '┬', '┐'), row(heads), line('├', '┼', '┤')];
  for (let i = 0; i < rows; i++) push(lines, row(mapOf(columns, ({ cells }) => cells[i] ?? '')));
  push(lines, line('└', '┴', '┘'));
  return join(lines, '\n');
}

function stepCells(length) {
  return Array.from({ length }, (_, i) => cellText(i));
}

function mapColumns(map) {
  const entries = entriesOf(map);
  return [
    { head: STEP, cells: stepCells(entries.length) },
    { head: KEY, cells: mapOf(entries, ({ 0: key }) => cellText(key)) },
    { head: VALUES, cells: mapOf(entries, ({ 1: value }) => cellText(value)) },
  ];
}

function setColumns(set) {
  const cells = mapOf(membersOf(set), cellText);
  return [{ head: STEP, cells: stepCells(cells.length) }, { head: VALUES, cells }];
}

function objectColumns(data, wanted) {
  const rows = Object.keys(data);
  const columns = Object.create(null);
  const values = [];
  let hasValues = false;
  forEach(rows, (row, i) => {
    const item = data[row];
    if (wanted === undefined && isPrimitive(item)) {
      values[i] = cellText(item);
      hasValues = true;
      return;
    }
    for (const key of each(wanted ?? Object.keys(item))) {
      columns[key] ??= [];
      const has = !isPrimitive(item) && Object.hasOwn(item, key);
      columns[key][i] = has ? cellText(item[key]) : '';
    }
  });
  const all = mapOf(Object.keys(columns), (head) => ({ head, cells: columns[head] }));
  if (hasValues) push(all, { head: VALUES, cells: values });
  return concat([{ head: INDEX, cells: rows }], all);
}

function tableText(data, wanted) {
  if (types.isMap(data)) return draw(mapColumns(data));
  if (types.isSet(data)) return draw(setColumns(data));
  return draw(objectColumns(data, wanted));
}

module.exports = { tableText };
