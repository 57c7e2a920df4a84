// The built-ins that are watched are what they were: run as it is on Node, too.
'use strict';

const assert = require('assert');

function looks(owner, name, length) {
  const of = owner[name];
  assert.strictEqual(of.name, name);
  assert.strictEqual(of.length, length);
  const text = Function.prototype.toString.call(of);
  assert.match(text, /^function \w+\(\) \{\s+\[native code\]\s+\}$/);
  assert.throws(() => new of(), TypeError);
  assert.ok(!Object.hasOwn(of, 'prototype'));
  const { enumerable, configurable, writable } = Object.getOwnPropertyDescriptor(owner, name);
  assert.deepStrictEqual([enumerable, configurable, writable], [false, true, true]);
}

const typed = Object.getPrototypeOf(Int8Array.prototype);
looks(JSON, 'parse', 2);
looks(JSON, 'stringify', 3);
looks(Array.prototype, 'sort', 1);
looks(Array.prototype, 'toSorted', 1);
looks(Array.prototype, 'join', 1);
looks(String.prototype, 'split', 2);
looks(String.prototype, 'replaceAll', 2);
looks(typed, 'sort', 1);
looks(typed, 'toSorted', 1);

assert.deepStrictEqual(JSON.parse('{"a":[1,2]}', (key, value) => (key === '0' ? 9 : value)),
  { a: [9, 2] });
assert.throws(() => JSON.parse('{'), SyntaxError);
assert.throws(() => JSON.parse(), SyntaxError);
assert.strictEqual(JSON.stringify({ a: 1, b: [2] }, null, 1), '{\n "a": 1,\n "b": [\n  2\n ]\n}');
assert.strictEqual(JSON.stringify(), undefined);
const round = {};
round.round = round;
assert.throws(() => JSON.stringify(round), TypeError);
const array = [3, 1, 2];
assert.strictEqual(array.sort(), array);
assert.deepStrictEqual(array, [1, 2, 3]);
assert.deepStrictEqual([1, 2, 3].sort((a, b) => b - a), [3, 2, 1]);
assert.throws(() => [2, 1].sort(5), TypeError);
assert.throws(() => [2, 1].sort(() => { throw new RangeError('mine'); }), /mine/);
assert.throws(() => Array.prototype.sort.call(null), TypeError);
assert.deepStrictEqual(Array.prototype.sort.call({ length: 2, 0: 'b', 1: 'a' }),
  { length: 2, 0: 'a', 1: 'b' });
assert.deepStrictEqual([...new Int8Array([3, -1]).sort()], [-1, 3]);
assert.strictEqual([1, [2, null]].join(), '1,2,');
assert.strictEqual([1, 2].join(undefined), '1,2');
assert.strictEqual(String([1, 2]), '1,2');
assert.deepStrictEqual('a,b'.split(','), ['a', 'b']);
assert.deepStrictEqual('a,b,c'.split(',', 2), ['a', 'b']);
assert.deepStrictEqual('ab'.split(/(?:)/), ['a', 'b']);
assert.deepStrictEqual('ab'.split(), ['ab']);
assert.strictEqual('aba'.replaceAll('a', (found, at) => at), '0b2');
assert.throws(() => 'a'.replaceAll(/a/, ''), TypeError);

// What is large takes another way.
const large = JSON.stringify(Array.from({ length: 20000 }, (_, index) => index));
assert.strictEqual(JSON.parse(large)[19999], 19999);
assert.throws(() => JSON.parse(`${large}]`), SyntaxError);
assert.strictEqual(JSON.stringify(JSON.parse(large)), large);
assert.strictEqual(large.split(',').length, 20000);
assert.strictEqual(JSON.parse(large).sort((a, b) => b - a)[0], 19999);
assert.throws(() => JSON.parse(large).sort(() => { throw new RangeError('mine'); }), /mine/);
let read = 0;
const get = (of, name) => (name === 'length' ? (read++, 2) : of[name]);
const proxy = new Proxy([2, 1], { get });
Array.prototype.sort.call(proxy);
assert.strictEqual(read, 1);
