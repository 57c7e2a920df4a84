'use strict';
// The source text of the assertion that failed, for the message of `assert(x)`.
//
// Only strings and brackets are understood: a bracket in a comment or a pattern may cut the text.
// Cost: reads the calling file once for each failure.
// From `internal`: `sourceText(file)` -> the text of a script that runs, or undefined.

const {
  each, includes, indexOf, join, lastIndexOf, map, matchAll, pop, push, replace, slice, split,
  test,
} = require('internal/primordials');

const CLOSERS = { '(': ')', '[': ']', '{': '}' };
const QUOTES = '\'"`';
const LINES_BACK = 50; // an engine may name a line or column inside of the arguments
const NAME_MAX = 200;
const ASSERTION = /\b(?:assert|ok|strict)\s*\($/;
const KEYWORD = /^(?:catch|for|if|switch|while)\b/;
const CALL = /(?:[\w$]+\s*\.\s*)*[\w$]+\s*\(/g;

// Where the code stands that called `callee`: { file, line, column }, the last two from 1.
function callerOf(callee) {
  const before = Error.prepareStackTrace;
  const holder = {};
  let site;
  try {
    Error.prepareStackTrace = (_, sites) => {
      const first = sites[0];
      if (first && first.getFileName) {
        site = {
          file: first.getFileName(), line: first.getLineNumber(), column: first.getColumnNumber(),
        };
      }
      return '';
    };
    Error.captureStackTrace(holder, callee);
    // Some engines build the stack when it is read.
    Reflect.get(holder, 'stack');
  } finally {
    Error.prepareStackTrace = before;
  }
  return site;
}

function endOfText(source, from) {
  for (let i = from + 1; i < source.length; i++) {
    if (source[i] === '\\') i++;
    else if (source[i] === source[from]) return i;
  }
  return -1;
}

// The index of the bracket that closes the one at `from`; -1 where none does.
function closerOf(source, from) {
  const open = [];
  for (let i = from; i < source.length; i++) {
    const char = source[i];
    if (includes(QUOTES, char)) {
      i = endOfText(source, i);
      if (i === -1) return -1;
    } else if (CLOSERS[char] !== undefined) {
      push(open, CLOSERS[char]);
    } else if (char === open[open.length - 1]) {
      pop(open);
      if (open.length === 0) return i;
    }
  }
  return -1;
}

// Further lines lose the white space that the first line stands after.
function dedent(text, column) {
  const lines = split(text, '\n');
  const space = new RegExp(`^[ \\t]{0,${column}}`);
  return join(map(lines, (line, i) => (i === 0 ? line : `  ${replace(line, space, '')}`)), '\n');
}

// The last call that starts before `offset` and ends after it; one named like an assertion first.
function callAround(source, offset) {
  let from = offset;
  for (let i = 0; i < LINES_BACK && from > 0; i++) from = lastIndexOf(source, '\n', from - 1);
  from = Math.max(from, 0);
  let any;
  let named;
  for (const found of each(matchAll(slice(source, from, offset + NAME_MAX), CALL))) {
    const start = from + found.index;
    if (start > offset) break;
    const close = closerOf(source, start + found[0].length - 1);
    if (close < offset || test(KEYWORD, found[0])) continue;
    any = { start, close };
    if (test(ASSERTION, found[0])) named = any;
  }
  return named ?? any;
}

// The call's text, or undefined where it can't be found.
function callText(callee) {
  const site = callerOf(callee);
  if (site === undefined || typeof site.file !== 'string') return undefined;
  const source = internal.sourceText(site.file);
  if (typeof source !== 'string') return undefined;
  let offset = site.column - 1;
  for (let line = 1, at = 0; line < site.line; line++) {
    at = indexOf(source, '\n', at) + 1;
    if (at === 0) return undefined;
    if (line === site.line - 1) offset += at;
  }
  const call = callAround(source, offset);
  if (call === undefined) return undefined;
  const column = call.start - (lastIndexOf(source, '\n', call.start - 1) + 1);
  return dedent(slice(source, call.start, call.close + 1), column);
}

module.exports = { callText };
