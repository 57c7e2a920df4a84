'use strict';
// How the message of a failed equality shows both values: line against line.
//
// Lines are compared at the same place from the top, after the common end is set aside; no longest
// common subsequence is looked for. Never coloured; a terminal counts as 80 columns.
// Cost: linear in the lines of both values.
// From `internal`: nothing.

const { inspect } = require('internal/inspect');
const { at: atOf, concat, join, pop, repeat, slice, split } = require('internal/primordials');

const TITLES = {
  deepStrictEqual: 'Expected values to be strictly deep-equal:',
  strictEqual: 'Expected values to be strictly equal:',
  strictEqualObject: 'Expected "actual" to be reference-equal to "expected":',
  deepEqual: 'Expected values to be loosely deep-equal:',
  notDeepStrictEqual: 'Expected "actual" not to be strictly deep-equal to:',
  notStrictEqual: 'Expected "actual" to be strictly unequal to:',
  notStrictEqualObject: 'Expected "actual" not to be reference-equal to "expected":',
  notDeepEqual: 'Expected "actual" not to be loosely deep-equal to:',
  notIdentical: 'Values have same structure but are not reference-equal:',
  notDeepEqualUnequal: 'Expected values not to be loosely deep-equal:',
};
const SHORT_MAX = 12; // characters of two values that stand in one line
const COLUMNS = 80;
const LINES_MAX = 50;
const LINES_CUT = 46;
const TAIL_KEPT = 3;
const SKIPPED = ' ... Lines skipped';

function valueText(value) {
  return inspect(value, {
    compact: false, customInspect: false, depth: 1000, maxArrayLength: Infinity,
    showHidden: false, showProxy: false, sorted: true, getters: true,
  });
}

function cutLines(lines) {
  return lines.length > LINES_MAX ? concat(slice(lines, 0, LINES_CUT), '...') : lines;
}

function isThing(value) {
  return value !== null && typeof value === 'object';
}

// Takes the lines that both end with off them; the text that stands for those.
function takeTail(left, right) {
  let tail = '';
  let nearest = '';
  let same = 0;
  while (left.length > 0 && right.length > 0 && atOf(left, -1) === atOf(right, -1)) {
    if (same < TAIL_KEPT) tail = `\n  ${atOf(left, -1)}${tail}`;
    else nearest = atOf(left, -1);
    same++;
    pop(left);
    pop(right);
  }
  const skipped = same > TAIL_KEPT + 1;
  if (skipped) tail = `\n...${tail}`;
  if (nearest !== '') tail = `\n  ${nearest}${tail}`;
  return { tail, skipped };
}

class Diff {
  constructor() {
    this.out = '';
    this.pending = ''; // expected lines that wait for the end of a run of differences
    this.same = 0; // equal lines since the last difference
    this.printed = 0;
    this.skipped = false;
  }

  line(text) {
    this.out += `\n${text}`;
    this.printed++;
  }

  // Before a difference: the last equal lines, of which two are printed already.
  endSame(lines, at) {
    if (this.same > 3) {
      if (this.same === 5) {
        this.line(`  ${lines[at - 3]}`);
      } else if (this.same > 5) {
        this.out += '\n...';
        this.skipped = true;
      }
      this.line(`  ${lines[at - 2]}`);
    }
    if (this.same > 2) this.line(`  ${lines[at - 1]}`);
    this.same = 0;
  }

  addPair(lines, at, actual, expected) {
    if (actual === expected || actual === `${expected},` || `${actual},` === expected) {
      this.out += this.pending;
      this.pending = '';
      this.same++;
      const longer = actual.length >= expected.length ? actual : expected;
      if (this.same <= 2) this.line(`  ${longer}`);
      return;
    }
    this.endSame(lines, at);
    this.line(`+ ${actual}`);
    this.pending += `\n- ${expected}`;
    this.printed++;
  }

  addActual(lines, at) {
    this.endSame(lines, at);
    this.line(`+ ${lines[at]}`);
  }

  addExpected(lines, at) {
    this.endSame(lines, at);
    this.pending += `\n- ${lines[at]}`;
    this.printed++;
  }
}

function titleOf(actual, expected, operator) {
  const areThings = (isThing(actual) && isThing(expected)) ||
    (typeof actual === 'function' && typeof expected === 'function');
  return operator === 'strictEqual' && areThings ? 'strictEqualObject' : operator;
}

// The whole message where both values take one line; else the mark under their first difference.
function oneLine(actual, expected, title, left, right) {
  const length = left.length + right.length;
  if (length <= SHORT_MAX) {
    const areZeros = actual === 0 && expected === 0;
    if (isThing(actual) || isThing(expected) || areZeros) return { mark: '' };
    return { whole: `${title}\n\n${left} !== ${right}\n` };
  }
  if (length >= COLUMNS) return { mark: '' };
  let at = 0;
  while (left[at] === right[at]) at++;
  return { mark: at > 2 ? `\n  ${repeat(' ', at)}^` : '' };
}

function diffText(actual, expected, operator, message) {
  const kind = titleOf(actual, expected, operator);
  const title = message || TITLES[kind];
  const all = split(valueText(actual), '\n');
  const left = slice(all);
  const right = split(valueText(expected), '\n');
  let mark = '';
  if (left.length === 1 && right.length === 1 && left[0] !== right[0]) {
    const short = left[0].length + right[0].length <= SHORT_MAX;
    if (short || kind !== 'strictEqualObject') {
      const line = oneLine(actual, expected, title, left[0], right[0]);
      if (line.whole !== undefined) return line.whole;
      ({ mark } = line);
    }
  }
  const { tail, skipped } = takeTail(left, right);
  const count = Math.max(left.length, right.length);
  if (count === 0) return `${TITLES.notIdentical}\n\n${join(cutLines(all), '\n')}\n`;
  const diff = new Diff();
  diff.skipped = skipped;
  const head = `${title}\n+ actual - expected`;
  const lines = left.length < count ? right : left;
  for (let i = 0; i < count; i++) {
    if (i >= right.length) diff.addActual(lines, i);
    else if (i >= left.length) diff.addExpected(lines, i);
    else diff.addPair(left, i, left[i], right[i]);
    if (diff.printed > LINES_MAX && i < count - 2) {
      return `${head}${SKIPPED}\n${diff.out}\n...${diff.pending}\n...`;
    }
  }
  return `${head}${diff.skipped ? SKIPPED : ''}\n${diff.out}${diff.pending}${tail}${mark}`;
}

function unequalText(actual, operator) {
  const isObject = isThing(actual) || typeof actual === 'function';
  const title = TITLES[operator === 'notStrictEqual' && isObject ?
    'notStrictEqualObject' : operator];
  const lines = cutLines(split(valueText(actual), '\n'));
  if (lines.length > 1) return `${title}\n\n${join(lines, '\n')}\n`;
  return `${title}${lines[0].length > 5 ? '\n\n' : ' '}${lines[0]}`;
}

function cut(text, max) {
  return text.length > max ? `${slice(text, 0, max - 3)}...` : text;
}

function looseText(actual, expected, operator) {
  const left = valueText(actual);
  const right = valueText(expected);
  const title = TITLES[operator];
  if (operator === 'notDeepEqual' && left === right) return cut(`${title}\n\n${left}`, 1024);
  const one = cut(left, 512);
  const other = cut(right, 512);
  if (operator === 'deepEqual') {
    return `${title}\n\n${one}\n\nshould loosely deep-equal\n\n${other}`;
  }
  if (operator === 'notDeepEqual') {
    return `${TITLES.notDeepEqualUnequal}\n\n${one}\n\nshould not loosely deep-equal\n\n${other}`;
  }
  return `${one} ${operator} ${other}`;
}

// The message of a failed comparison; `message` replaces the title of a diff.
function failureText(actual, expected, operator, message) {
  if (operator === 'deepStrictEqual' || operator === 'strictEqual') {
    return diffText(actual, expected, operator, message);
  }
  if (operator === 'notDeepStrictEqual' || operator === 'notStrictEqual') {
    return unequalText(actual, operator);
  }
  return looseText(actual, expected, operator);
}

module.exports = { failureText };
