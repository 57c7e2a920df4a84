'use strict';
// The source text of the assertion that failed, for the message of `assert(x)`.
//
// Only strings and brackets are understood: a bracket in a comment or a pattern may cut the text.
// Cost: reads the calling file once for each failure.
// From `internal`: `sourceText(file)` -> the text of a script that runs, or undefined.

const CLOSERS = { '(': ')', '[': ']', '{': '}' };
const QUOTES = '\'"`';
const CALL = /(?:[\w$]+\s*\.\s*)*[\w$]+\s*\(/g;

// Where the code stands that called `callee`: { file, line, column }, the last two from 1.
function callerOf(callee) {
  const before = Object.getOwnPropertyDescriptor(Error, 'prepareStackTrace');
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
    if (before === undefined) delete Error.prepareStackTrace;
    else Object.defineProperty(Error, 'prepareStackTrace', before);
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
    if (QUOTES.includes(char)) {
      i = endOfText(source, i);
      if (i === -1) return -1;
    } else if (CLOSERS[char] !== undefined) {
      open.push(CLOSERS[char]);
    } else if (char === open[open.length - 1]) {
      open.pop();
      if (open.length === 0) return i;
    }
  }
  return -1;
}

// Further lines lose the white space that the first line stands after.
function dedent(text, column) {
  const [first, ...rest] = text.split('\n');
  const space = new RegExp(`^[ \\t]{0,${column}}`);
  return [first, ...rest.map((line) => `  ${line.replace(space, '')}`)].join('\n');
}

// The call's text, or undefined where it can't be found.
function callText(callee) {
  const site = callerOf(callee);
  if (site === undefined || typeof site.file !== 'string') return undefined;
  const source = internal.sourceText(site.file);
  if (source === undefined) return undefined;
  const lines = source.split('\n');
  const line = lines[site.line - 1];
  if (line === undefined) return undefined;
  const from = lines.slice(0, site.line - 1).reduce((sum, one) => sum + one.length + 1, 0);
  for (const found of line.matchAll(CALL)) {
    const end = found.index + found[0].length;
    if (end < site.column) continue;
    const close = closerOf(source, from + end - 1);
    if (close === -1) return undefined;
    return dedent(source.slice(from + found.index, close + 1), found.index);
  }
  return undefined;
}

module.exports = { callText };
