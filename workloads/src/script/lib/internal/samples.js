// The stack of the code that runs now, for samples, whatever the program has done to `Error`.
// It is loaded first: it uses the engine's own accessors.
//
// The text is the engine's own, innermost frame first, one a line. Behind it stands what the engine
// does not write: `begins INDEX LINE FILE`, where the function of a frame begins that it calls
// `(missing)`; and `module INDEX`, where a frame is the code of an ES module.
'use strict';

const { uncurried } = require('internal/primordials');

const Own = Error;
const DEPTH_MAX = 64;

function accessor(object, name) {
  const { get, set } = Object.getOwnPropertyDescriptor(object, name);
  return { get: uncurried(get), set: set && uncurried(set) };
}

const stack = accessor(Own.prototype, 'stack').get;
const limit = accessor(Own, 'stackTraceLimit');
const prepare = accessor(Own, 'prepareStackTrace');
const fileOf = accessor(Function.prototype, 'fileName').get;
const lineOf = accessor(Function.prototype, 'lineNumber').get;
const find = uncurried(String.prototype.indexOf);
const cut = uncurried(String.prototype.slice);

const owns = uncurried(Object.prototype.hasOwnProperty);

const MISSING = ' (missing)\n';
// A function without a name in an ES module, or that module's own code.
const UNNAMED = '    at <anonymous> (file:';

let sites;

function keep(error, given) {
  sites = given;
}

function frames() {
  limit.set(Own, DEPTH_MAX);
  prepare.set(Own, undefined);
  const text = stack(new Own());
  if (find(text, MISSING) < 0 && find(text, UNNAMED) < 0) return text;
  prepare.set(Own, keep);
  new Own();
  return text + more(text);
}

// The sites stand in the order of the lines. Alone the code of a module has no length.
function more(text) {
  let told = '';
  let at = 0;
  for (let index = 0; index < sites.length; index++) {
    const end = find(text, '\n', at) + 1;
    const of = sites[index].getFunction();
    if (cut(text, end - MISSING.length, end) === MISSING) {
      told += `begins ${index} ${lineOf(of)} ${fileOf(of)}\n`;
    }
    if (cut(text, at, at + UNNAMED.length) === UNNAMED && !owns(of, 'length')) {
      told += `module ${index}\n`;
    }
    at = end;
  }
  sites = undefined;
  return told;
}

// The engine looks up each 10,000 calls and steps back. Where jobs take the same number of them, it
// would look at the same place each time: a few more steps, never as many as before, prevent that.
let jitter = 0;

function shift() {
  jitter = (5 * jitter + 3) & 31;
  for (let steps = jitter; steps > 0; steps--);
}

function current() {
  shift();
  const before = limit.get(Own);
  const prepared = prepare.get(Own);
  const text = frames();
  limit.set(Own, before);
  prepare.set(Own, prepared);
  return text;
}

module.exports = { current };
