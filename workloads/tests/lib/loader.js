'use strict';
// Loads the files of `src/script/lib` on Node, in the wrapper that the host gives them, with the
// native functions that the engine would provide.

const fs = require('fs');
const path = require('path');
const { internalBinding } = require('internal/test/binding');

const LIB = path.join(__dirname, '../../src/script/lib');
const binding = internalBinding('util');

// What is written, for the tests to read.
const written = { out: '', err: '' };

const internal = {
  promiseState(value) {
    if (!require('util').types.isPromise(value)) return undefined;
    const [state, result] = binding.getPromiseDetails(value);
    return [state, result];
  },
  proxyTarget(value) {
    return binding.getProxyDetails(value, false);
  },
  writeStdout(text) {
    written.out += text;
  },
  writeStderr(text) {
    written.err += text;
  },
  sourceText(file) {
    return fs.existsSync(file) ? fs.readFileSync(file, 'utf8') : undefined;
  },
};

const loaded = new Map();

function load(name) {
  // The process is Node's own: what it does is not what is compared here.
  if (name === 'process') return process;
  if (loaded.has(name)) return loaded.get(name).exports;
  const module = { exports: {} };
  loaded.set(name, module);
  const file = path.join(LIB, `${name}.js`);
  const wrapper = `(function (exports, require, module, internal) {${fs.readFileSync(file)}\n})`;
  const body = require('vm').runInThisContext(wrapper, { filename: file });
  body(module.exports, load, module, internal);
  return module.exports;
}

module.exports = { load, internal, written };
