'use strict';
// Our `inspect` and `format` print what Node's print: a table of values under many options, random
// nested values, placeholders. The seed of the random part is printed; argument 1 sets it.

const util = require('util');
const { load } = require('./loader');
const { unseen, ...tables } = require('./values');
const { check, finish, random } = require('./report');

const ours = load('internal/inspect');
const RANDOM_VALUES = 3000;

const OPTIONS = [
  undefined, {}, { depth: 0 }, { depth: null }, { depth: -1 }, { colors: true },
  { showHidden: true }, { compact: false }, { compact: true }, { compact: 1 }, { compact: 0 },
  { compact: 5, breakLength: 120 },
  { breakLength: 40 }, { breakLength: Infinity }, { sorted: true }, { maxArrayLength: 2 },
  { maxArrayLength: null }, { maxArrayLength: 0 }, { maxStringLength: 5 }, { getters: true },
  { getters: 'set', colors: true }, { customInspect: false }, { numericSeparator: true },
  { compact: true, breakLength: 30 }, { showHidden: true, colors: true, depth: 5 },
  { sorted: (a, b) => (a < b ? 1 : -1) }, { compact: false, sorted: true, depth: 9, getters: true },
];

function attempt(f) {
  try {
    return f();
  } catch (error) {
    return `threw ${error}`;
  }
}

function checkUnseen() {
  for (const make of unseen) {
    for (const options of [undefined, { depth: -1 }, { colors: true }]) {
      check(`${make}`, ours.inspect(make(), options), util.inspect(make(), options));
    }
  }
}

function checkTables() {
  for (const [table, makers] of Object.entries(tables)) {
    for (const make of makers) {
      for (const options of OPTIONS) {
        const value = make();
        check(`${table}: ${make} with ${JSON.stringify(options)}`,
          attempt(() => ours.inspect(value, options)), attempt(() => util.inspect(value, options)));
      }
    }
  }
}

const flat = Object.values(tables).flat();

function randomValue(depth) {
  const roll = random(12);
  if (depth === 0 || roll < 3) return flat[random(flat.length)]();
  const count = random(9);
  const some = () => Array.from({ length: count }, () => randomValue(depth - 1));
  if (roll < 6) return some();
  if (roll < 7) return new Map(some().map((value, i) => [i % 2 ? value : i, value]));
  if (roll < 8) return new Set(some());
  return Object.fromEntries(some().map((value, i) => [`key${'x'.repeat(random(12))}${i}`, value]));
}

function checkRandom() {
  for (let i = 0; i < RANDOM_VALUES; i++) {
    const value = randomValue(1 + random(4));
    const options = { ...OPTIONS[random(OPTIONS.length)] };
    check(`random value ${i} with ${JSON.stringify(options)}`,
      attempt(() => ours.inspect(value, options)), attempt(() => util.inspect(value, options)));
  }
}

class Shown {
  toString() {
    return 'shown';
  }
}
const loop = {};
loop.loop = loop;
const FORMATS = [
  [], ['a'], ['a', 'b'], ['%'], ['%', 1], ['%%'], ['%%', 1], ['%%%s%%', 'x'], ['%s'], ['a%'],
  ['%s', 'x', 'y'], ['%s', { a: { b: 1 } }], ['%s', [1, [2, [3]]]], ['%s', null], ['%s', -0],
  ['%s', 5n], ['%s', Symbol('x')], ['%s', () => 1], ['%s', new Shown()], ['%s', new Date(0)],
  ['%s', class A {}], ['%s', Object.create(null)], ['%s', { toString: () => 'own' }],
  ['%s', { [Symbol.toPrimitive]: () => 'prim' }], ['%s', new Proxy(new Shown(), {})],
  ['%d', '5'], ['%d', 'x'], ['%d', {}], ['%d', 3n], ['%d', Symbol('x')], ['%d', -0], ['%d', ''],
  ['%i', '42.9px'], ['%i', 1.9], ['%i', 7n], ['%i', Symbol('x')], ['%i', {}], ['%f', '1.5x'],
  ['%f', 3n], ['%f', Symbol('x')], ['%j', { a: [1] }], ['%j', undefined], ['%j', loop], ['%j', 'x'],
  ['%o', { a: [1, { b: { c: { d: 1 } } }] }], ['%o', function f() {}],
  ['%O', { a: { b: { c: {} } } }],
  ['%c x', 'css'], ['%x', 1], ['%s %s', 'a'], ['%s %d %i %j', 1, 2, 3, 4, 5], ['a', { b: 1 }, 'c'],
  [1, 2, '3'], [{ a: 1 }, 'x'], ['%s', 'it\'s'], ['x', 'it\'s', ['it\'s']], [Symbol('x'), 'a'],
  ['a %s b %% c %s', 1], ['%s%s%s', 1, 2, 3], ['100%', 'x'], ['%s', undefined], [undefined], [''],
  ['', 1], ['%O', 'text'], ['%s', [new Error('x').message]], ['%s', 12345678901234567890n],
];

function checkFormat() {
  for (const args of FORMATS) {
    const name = `format of ${util.inspect(args)}`;
    check(name, attempt(() => ours.format(...args)), attempt(() => util.format(...args)));
    for (const options of [{ colors: true }, { numericSeparator: true }]) {
      check(`${name} with ${JSON.stringify(options)}`,
        attempt(() => ours.formatWithOptions(options, ...args)),
        attempt(() => util.formatWithOptions(options, ...args)));
    }
  }
}

process.on('unhandledRejection', () => {}); // some values are rejected promises
checkTables();
checkUnseen();
checkRandom();
checkFormat();
finish('inspect');
