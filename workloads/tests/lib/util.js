'use strict';
// The rest of our `util`, and the coded errors, against Node's.

const nodeUtil = require('util');
const nodeErrors = require('internal/errors');
const { load, written } = require('./loader');
const { check, finish } = require('./report');
const tables = require('./values');

const ours = load('util');
const checks = load('internal/checks');
const errors = load('internal/errors');
const both = [ours, nodeUtil];

function framesAway(text) {
  return text.split('\n').filter((line) => !/^ +at /.test(line)).join('\n');
}

function words(error) {
  const head = framesAway(`${error.stack}`);
  const shown = framesAway(nodeUtil.inspect(error));
  return [error.name, error.code, error.message, String(error), head, shown,
    error instanceof TypeError, error instanceof RangeError, Object.keys(error)].join(' | ');
}

function attempt(f) {
  try {
    return f();
  } catch (error) {
    return words(error);
  }
}

function checkBoth(name, act) {
  const shown = (util) => nodeUtil.inspect(attempt(() => act(util)));
  check(name, shown(ours), shown(nodeUtil));
}

class Foo {}
const RECEIVED = [
  undefined, null, 0, -0, 1.5, NaN, Infinity, -Infinity, 10n, true, false, Symbol('s'), '', 'a',
  'it\'s', 'x'.repeat(28), 'x'.repeat(29), `${'x'.repeat(24)}'${'y'.repeat(9)}`, {}, [], () => {},
  function named() {}, Foo, new Foo(), Object.create(null), new Map(), new Date(0), /x/, 2 ** 33,
  -123456789012, 2n ** 40n, -(2n ** 33n), 5n,
];
const WANTED = [
  'string', 'Function', ['string', 'number'], ['Function', 'Promise'], ['string', 'Buffer', 'URL'],
  ['Object', 'Error', 'Function', 'RegExp'], 'Array', ['object', 'Foo'], ['string', 'one of it'],
  ['number', 'bigint', 'boolean'], 'an integer', ['utf8', 'hex'], 'AbortSignal', 'Iterable thing',
];
const NAMES = ['callback', 'options.size', 'first argument'];

function checkErrors() {
  const made = (code, args) => check(`${code} of ${nodeUtil.inspect(args)}`,
    words(new errors.codes[code](...args)), words(new nodeErrors.codes[code](...args)));
  for (const value of RECEIVED) {
    for (const name of NAMES) {
      for (const wanted of WANTED) made('ERR_INVALID_ARG_TYPE', [name, wanted, value]);
      made('ERR_INVALID_ARG_VALUE', [name, value]);
      made('ERR_INVALID_ARG_VALUE', [name, value, 'must be odd']);
      made('ERR_OUT_OF_RANGE', [name, '>= 0 && <= 9', value]);
    }
    made('ERR_INVALID_RETURN_VALUE', ['instance of Promise', 'fn', value]);
  }
  for (const args of [['a'], ['a', 'b'], ['a', 'b', 'c'], [['a', 'b'], 'c']]) {
    made('ERR_MISSING_ARGS', args);
  }
  made('ERR_AMBIGUOUS_ARGUMENT', ['a/b', 'It is so.']);
  made('ERR_ILLEGAL_CONSTRUCTOR', []);
  made('ERR_INVALID_THIS', ['Event']);
  made('ERR_UNHANDLED_ERROR', []);
  made('ERR_UNHANDLED_ERROR', ['\'x\'']);
  made('ERR_UNKNOWN_ENCODING', ['utf9']);
}

// The checks, by Node's names for them.
const VALIDATORS = {
  validateFunction: ['checkFunction', []], validateString: ['checkString', []],
  validateBoolean: ['checkBoolean', []], validateObject: ['checkOptions', []],
  validateAbortSignal: ['checkAbortSignal', []],
  validateNumber: ['checkNumber', [], [0], [0, 5], [undefined, 5]],
  validateInteger: ['checkInteger', [], [0], [0, 5]],
};

function checkValidators() {
  const node = require('internal/validators');
  for (const [name, [own, ...extras]] of Object.entries(VALIDATORS)) {
    for (const value of RECEIVED) {
      for (const extra of extras) {
        const act = (check) => attempt(() => check(value, 'thing', ...extra));
        check(`${name}(${nodeUtil.inspect(value)}, ${extra})`, act(checks[own]), act(node[name]));
      }
    }
  }
}

function checkSystemErrors() {
  const node = (() => {
    try {
      return require('fs').readFileSync('/no/such/file');
    } catch (error) {
      return error;
    }
  })();
  const { errno, code, syscall, path } = node;
  const message = 'no such file or directory';
  const mine = errors.systemError({ errno, code, syscall, path, message });
  check('a missing file', words(mine), words(node));
  const names = { path: 'a', dest: 'b' };
  const moved = errors.systemError({ errno, code, syscall: 'rename', ...names, message });
  check('a rename', moved.message, 'ENOENT: no such file or directory, rename \'a\' -> \'b\'');
}

function checkTypes() {
  const names = Object.keys(ours.types).filter((name) => nodeUtil.types[name]);
  check('the tests of kinds', names.length >= 40, true);
  for (const make of Object.values(tables).flat()) {
    // Brands that stay when the prototype goes: those of functions and iterators show by it alone.
    if (/reprototyped\((?:\(\)|class)/.test(`${make}`)) continue;
    const value = make();
    if (nodeUtil.types.isPromise(value)) value.catch(() => {});
    for (const name of names) {
      check(`${name} of ${make}`, ours.types[name](value), nodeUtil.types[name](value));
    }
  }
}

async function checkCallbacks() {
  const fail = (value, done) => done(new Error(`no ${value}`));
  const pass = (value, done) => done(null, value, 'second');
  for (const util of both) {
    check('promisify', await util.promisify(pass)(5), 5);
    check('promisify: an error', await util.promisify(fail)(5).catch(String), 'Error: no 5');
    const special = () => {};
    special[util.promisify.custom] = () => 'custom';
    check('promisify: custom', util.promisify(special)(), 'custom');
    const holder = { x: 7, read: util.promisify(function read(done) {
      done(null, this.x);
    }) };
    check('promisify: this', await holder.read(), 7);
    const call = (f, ...args) => new Promise((resolve) => {
      f(...args, (...results) => resolve(nodeUtil.inspect(results).split('\n')[0]));
    });
    check('callbackify', await call(util.callbackify(async (x) => x * 2), 4), '[ null, 8 ]');
    const falsy = util.callbackify(() => Promise.reject(null));
    check('callbackify: falsy', await new Promise((resolve) => {
      falsy((error) => resolve(`${error.code} ${error.reason} ${error.message}`));
    }), 'ERR_FALSY_VALUE_REJECTION null Promise was rejected with falsy value');
  }
  const described = (f) => nodeUtil.inspect(Object.getOwnPropertyDescriptors(f));
  checkBoth('what promisify makes', (u) => described(u.promisify(pass)));
  checkBoth('what callbackify makes', (u) => described(u.callbackify(async (a) => a)));
}

function checkRest() {
  checkBoth('promisify of no function', (u) => u.promisify(5));
  checkBoth('callbackify of no function', (u) => u.callbackify('x'));
  checkBoth('callbackify without callback', (u) => u.callbackify(async () => {})(5));
  checkBoth('inherits', (u) => {
    function A() {}
    function B() {}
    u.inherits(A, B);
    return [new A() instanceof B, A.super_ === B];
  });
  checkBoth('inherits from nothing', (u) => u.inherits(function A() {}, null));
  checkBoth('inherits without prototype', (u) => u.inherits(function A() {}, () => {}));
  const coloured = ['plain', '\x1b[31mred\x1b[0m', '\x1b]0;title\x07x', '\x1b[2J\x1b[1;1H'];
  for (const text of [...coloured, 5, 'a\x9b1mb']) {
    checkBoth(`strip ${text}`, (u) => u.stripVTControlCharacters(text));
  }
  for (const text of ['a', 'a\ud800', '\udc00b', '\u{1f600}', 5]) {
    checkBoth(`usv ${text}`, (u) => u.toUSVString(text));
  }
  checkBoth('formatWithOptions of no options', (u) => u.formatWithOptions(null, 'x'));
  checkBoth('isDeepStrictEqual', (u) => [1, '1'].map((x) => u.isDeepStrictEqual([1], [x])));
  checkBoth('isArray', (u) => [u.isArray([]), u.isArray({})]);
  const unknown = Object.keys(ours).filter((key) => !(key in nodeUtil));
  check('names that Node has too', unknown.join(), '');
}

function checkDeprecate() {
  const { emitWarning } = process;
  const seen = [];
  process.emitWarning = (text, type, code) =>
    seen.push(`${text} ${type} ${typeof code === 'string' ? code : 'none'}`);
  for (const util of both) {
    const old = util.deprecate(function old(x) {
      return [this?.y, x];
    }, 'is old', 'DEP_X');
    const other = util.deprecate(() => 1, 'is old too', 'DEP_X');
    const bare = util.deprecate(() => 2, 'no code');
    const results = [old.call({ y: 1 }, 2), other(), bare(), bare()];
    check('deprecate: the call', results.join(' '), '1,2 1 2 2');
    check('deprecate: new', new (util.deprecate(Foo, 'm', 'DEP_X'))() instanceof Foo, true);
    seen.push('--');
  }
  process.emitWarning = emitWarning;
  const text = seen.join('; ').split('; --');
  check('deprecate: the warnings', text[0], text[1].slice(2));
}

function checkDebuglog() {
  process.env.NODE_DEBUG = 'one,tw*';
  const line = (name) => {
    written.err = '';
    const log = ours.debuglog(name);
    log('x %d', 5);
    return `${log.enabled} ${written.err}`;
  };
  check('debuglog: named', line('one'), `true ONE ${process.pid}: x 5\n`);
  check('debuglog: by pattern', line('TWO'), `true TWO ${process.pid}: x 5\n`);
  check('debuglog: another', line('three'), 'false ');
}

async function checkAll() {
  checkErrors();
  checkValidators();
  checkSystemErrors();
  checkTypes();
  checkRest();
  checkDeprecate();
  checkDebuglog();
  await checkCallbacks();
  finish('util');
}

checkAll();
