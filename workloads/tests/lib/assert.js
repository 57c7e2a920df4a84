'use strict';
// Our `assert` throws what Node's throws: name, code, message, operator, the stack's head.

const node = require('assert');
const { load } = require('./loader');
const { check, finish } = require('./report');

const ours = load('assert');
const range = (n, f = (i) => i) => Array.from({ length: n }, (_, i) => f(i));
const boom = (error) => () => {
  throw error;
};
class Mine extends Error {}

// Node shows the source of these only where what follows their line can be parsed.
function plain(a) {
  a(false);
}

function named(a) {
  if (a.ok) a.ok(0);
}

function strict(a) {
  a.strict('');
}

function listed(a) {
  a(typeof 123 === 'string' && (1 + [2]),);
}

function quoted(a) {
  a.ok(['(', ')'].includes('x'));
}

function manyLines(a) {
  a.ok(
    typeof 123 === 'string',
    undefined,
  );
}

// Each gets an `assert` and fails (or not) by it.
const CASES = [
  plain, named, strict, listed, quoted, manyLines, (a) => a(true), (a) => a.ok(), (a) => a(),
  (a) => a.ok(null, 'given'), (a) => a(0, new TypeError('own')), (a) => a.ok(true),
  (a) => a.equal(1, 2), (a) => a.equal(1, '1'), (a) => a.equal(NaN, NaN), (a) => a.equal(1),
  (a) => a.equal({}, {}), (a) => a.equal(1, 2, 'given'), (a) => a.equal('a'.repeat(600), 1),
  (a) => a.notEqual(1, 1), (a) => a.notEqual(1, 2), (a) => a.notEqual({}, {}),
  (a) => a.strictEqual(1, 2), (a) => a.strictEqual(1, '1'), (a) => a.strictEqual(0, -0),
  (a) => a.strictEqual(NaN, 0), (a) => a.strictEqual(NaN, NaN), (a) => a.strictEqual(1, 2, 'given'),
  (a) => a.strictEqual('aaaaaaaaaa', 'aaaaaaaaab'),
  (a) => a.strictEqual('xaaaaaaaaa', 'yaaaaaaaaa'),
  (a) => a.strictEqual([1], [1]), (a) => a.strictEqual({ a: 1 }, { a: 2 }),
  (a) => a.strictEqual(() => 1, () => 1), (a) => a.strictEqual('a\nb', 'a\nc'),
  (a) => a.strictEqual('x'.repeat(60), 'x'.repeat(50)), (a) => a.strictEqual(undefined, null),
  (a) => a.strictEqual(1, 2, new Mine('own')), (a) => a.strictEqual([], {}),
  (a) => a.strictEqual(1n, 1),
  (a) => a.notStrictEqual(1, 1), (a) => a.notStrictEqual('long text', 'long text'),
  (a) => a.notStrictEqual(Mine, Mine), (a) => a.notStrictEqual(1, 2),
  (a) => a.deepEqual({ a: 1 }, { a: 2 }), (a) => a.deepEqual({ a: 1 }, { a: '1' }),
  (a) => a.deepEqual([1, 2, 3], [1, 2, 4]), (a) => a.deepEqual(range(300), range(299)),
  (a) => a.deepEqual(new Error('a'), new Error('b')),
  (a) => a.deepEqual(new Set([1]), new Set([2])),
  (a) => a.notDeepEqual({ a: 1 }, { a: 1 }), (a) => a.notDeepEqual({ a: 1 }, { a: '1' }),
  (a) => a.notDeepEqual(range(400), range(400)), (a) => a.notDeepEqual({ a: 1 }, { a: 2 }),
  (a) => a.deepStrictEqual({ a: 1 }, { a: 2 }), (a) => a.deepStrictEqual({ a: 1 }, { a: 1 }),
  (a) => a.deepStrictEqual({ a: [1, 2, { b: 3 }] }, { a: [1, 2, { b: 4 }], c: 2 }),
  (a) => a.deepStrictEqual(range(12), [...range(11), 99]), (a) => a.deepStrictEqual(-0, 0),
  (a) => a.deepStrictEqual(range(100), range(100, (i) => (i === 3 || i === 60 ? -1 : i))),
  (a) => a.deepStrictEqual(range(100), range(100, (i) => -i - 1)),
  (a) => a.deepStrictEqual(range(20), range(25)), (a) => a.deepStrictEqual(range(25), range(20)),
  (a) => a.deepStrictEqual(range(8), range(8, (i) => (i === 5 ? 'x' : i))),
  (a) => a.deepStrictEqual(range(9), range(9, (i) => (i === 6 || i === 0 ? 'x' : i))),
  (a) => a.deepStrictEqual(new Map([[1, 2]]), new Map([[1, 3]])), (a) => a.deepStrictEqual([], {}),
  (a) => a.deepStrictEqual(new Set([{ a: 1 }]), new Set([{ a: 2 }])),
  (a) => a.deepStrictEqual(1, 2),
  (a) => a.deepStrictEqual(new Error('a'), new Error('b')),
  (a) => a.deepStrictEqual([1], [1], 'given'),
  (a) => a.deepStrictEqual({ a: 1 }, { a: 2 }, 'given'),
  (a) => a.deepStrictEqual(new Date(0), new Date(1)),
  (a) => a.deepStrictEqual(Object.create(null), {}),
  (a) => a.deepStrictEqual(new (class A {})(), {}),
  (a) => a.notDeepStrictEqual({ a: 1 }, { a: 1 }), (a) => a.notDeepStrictEqual(1, 1),
  (a) => a.notDeepStrictEqual(range(80), range(80)), (a) => a.strict.equal(1, '1'),
  (a) => a.strict.deepEqual([1], ['1']), (a) => a.strict.notEqual(1, 1),
  (a) => a.throws(() => {}), (a) => a.throws(() => {}, Error), (a) => a.throws(() => {}, 'text'),
  (a) => a.throws(() => {}, Error, 'text'), (a) => a.throws(1), (a) => a.throws(),
  (a) => a.throws(boom(new Error('x'))), (a) => a.throws(boom(new Error('x')), Error),
  (a) => a.throws(boom(new Error('x')), /y/), (a) => a.throws(boom(new Error('x')), /x/),
  (a) => a.throws(boom(new Error('x')), /y/, 'given'),
  (a) => a.throws(boom(new Error('x')), TypeError),
  (a) => a.throws(boom(1), TypeError), (a) => a.throws(boom(new Error('x')), TypeError, 'given'),
  (a) => a.throws(boom(new Error('x')), { message: 'y' }),
  (a) => a.throws(boom(1), { message: 'y' }),
  (a) => a.throws(boom(new Error('x')), { message: 'x' }),
  (a) => a.throws(boom(new Error('x')), {}),
  (a) => a.throws(boom(new TypeError('x')), { message: 'x', name: 'Error' }),
  (a) => a.throws(boom(new Error('x')), { message: /x/, code: 1 }),
  (a) => a.throws(boom(new Error('x')), { message: 'y' }, 'given'),
  (a) => a.throws(boom(new Error('x')), new Error('y')),
  (a) => a.throws(boom(new Error('x')), () => true),
  (a) => a.throws(boom(new Error('x')), () => false), (a) => a.throws(boom(1), function named() {
    return 'no';
  }), (a) => a.throws(boom(new Error('x')), 'x'), (a) => a.throws(boom('x'), 'x'),
  (a) => a.throws(boom(new Error('x')), 5), (a) => a.throws(boom(new Error('x')), 'a', 'b'),
  (a) => a.doesNotThrow(() => {}), (a) => a.doesNotThrow(boom(new Error('x'))),
  (a) => a.doesNotThrow(boom(new Error('x')), 'given'),
  (a) => a.doesNotThrow(boom(new Mine('x')), Mine),
  (a) => a.doesNotThrow(boom(new Mine('x')), TypeError),
  (a) => a.doesNotThrow(boom(new Error('x')), /x/, 'm'),
  (a) => a.doesNotThrow(boom(new Error('x')), 5), (a) => a.doesNotThrow('no function'),
  (a) => a.match('a', /b/), (a) => a.match('b', /b/), (a) => a.match(1, /b/),
  (a) => a.match('a', 'b'),
  (a) => a.match('a', /b/, 'given'), (a) => a.match('a', /b/, new Mine('own')),
  (a) => a.doesNotMatch('b', /b/), (a) => a.doesNotMatch('a', /b/), (a) => a.doesNotMatch(1, /b/),
  (a) => a.fail(), (a) => a.fail('given'), (a) => a.fail(new TypeError('own')), (a) => a.fail(null),
  (a) => a.ifError(null), (a) => a.ifError(undefined), (a) => a.ifError(new Error('x')),
  (a) => a.ifError(new Mine('')), (a) => a.ifError(1), (a) => a.ifError({ message: 'x' }),
  (a) => {
    throw new a.AssertionError({ actual: 1, expected: 2, operator: 'strictEqual' });
  },
  (a) => {
    throw new a.AssertionError({ message: 'given' });
  },
  (a) => {
    throw new a.AssertionError();
  },
];

const ASYNC_CASES = [
  (a) => a.rejects(Promise.resolve(1)), (a) => a.rejects(async () => {}), (a) => a.rejects(1),
  (a) => a.rejects(() => 1), (a) => a.rejects(Promise.reject(new Error('x')), /y/),
  (a) => a.rejects(Promise.reject(new Error('x')), /x/), (a) => a.rejects(boom(new Error('x'))),
  (a) => a.rejects(async () => {}, TypeError, 'given'), (a) => a.doesNotReject(Promise.resolve(1)),
  (a) => a.doesNotReject(Promise.reject(new Error('x'))), (a) => a.doesNotReject(5),
  (a) => a.doesNotReject(Promise.reject(new Error('x')), 'given'),
];

// Words of a thrown value; frames and the files' names in them are each library's own.
function wordsOf(error) {
  if (error === null || typeof error !== 'object') return `threw ${String(error)}`;
  const head = `${error.stack}`.split('\n').filter((line) => !/^ +at /.test(line)).join('\n');
  const { name, code, message, operator, generatedMessage } = error;
  const keys = Object.keys(error).join();
  return [name, code, message, operator, generatedMessage, keys, head, String(error)].join(' | ');
}

async function outcome(run, assert) {
  try {
    const result = run(assert);
    return `returned ${await result}`;
  } catch (error) {
    return wordsOf(error);
  }
}

async function checkAll() {
  for (const run of [...CASES, ...ASYNC_CASES]) {
    check(`${run}`, await outcome(run, ours), await outcome(run, node));
  }
  check('the strict module', load('assert/strict'), ours.strict);
  finish('assert');
}

checkAll();
