'use strict';
// The values that the printing tests print: each entry makes one. Nothing here needs Node, so the
// list can run on any engine.

class Foo {}
class Bar extends Foo {
  constructor() {
    super();
    this.x = 1;
  }

  get up() {
    return 1;
  }
}
class Static {
  static kept = 1;
}
class Tagged {
  get [Symbol.toStringTag]() {
    return 'tag';
  }
}
class Named {
  get [Symbol.toStringTag]() {
    return 'Named';
  }
}
class MyError extends Error {}
class NamedError extends Error {
  constructor(message) {
    super(message);
    this.name = 'Renamed';
  }
}
class List extends Array {}
class Dict extends Map {}
class Bag extends Set {}
class Vow extends Promise {}
class Day extends Date {}
class Pattern extends RegExp {}
class Fn extends Function {}

function bare(error, stack = `${error}`) {
  error.stack = stack;
  return error;
}

function framed(error, extra = '') {
  error.stack = `${error}\n    at one (/a/one.js:1:2)\n    at two (/a/two.js:3:4)${extra}`;
  return error;
}

function loop() {
  const a = { name: 'a' };
  a.self = a;
  a.list = [a, { a }];
  return a;
}

function twoLoops() {
  const a = {};
  const b = { a };
  a.b = b;
  a.inner = { b, a };
  return { a, b };
}

function withGetters() {
  return {
    get a() {
      return 1;
    },
    set b(value) {},
    get c() {
      return { deep: [1, 2] };
    },
    set c(value) {},
    get bad() {
      throw new Error('no');
    },
  };
}

function nested(depth) {
  return depth === 0 ? 'end' : { level: depth, next: nested(depth - 1) };
}

function reprototyped(value, proto) {
  Object.setPrototypeOf(value, proto);
  return value;
}

function also(value, properties) {
  return Object.assign(value, properties);
}

const range = (n, f = (i) => i) => Array.from({ length: n }, (_, i) => f(i));
const hidden = (target, key, value) => Object.defineProperty(target, key, { value });

const primitives = [
  undefined, null, true, false, 0, -0, 1, 1.5, -2e21, NaN, Infinity, -Infinity, 123456789.12345,
  10n, -123456789012n, '', 'a', 'it\'s', '"', '\'"', '\'"`', '\'"`${x}', '${x}\'"', 'a\nb', '\t',
  '\x00\x1b\x7f\x9f', 'é', '\u{1f600}', '\ud83d', '\udc00x', 'x'.repeat(90), 'ab\n'.repeat(40),
  'y'.repeat(10001), '\\', Symbol('s'), Symbol(), Symbol('a b'), Symbol('l\n'), Symbol.iterator,
].map((value) => () => value);

const lists = [
  () => [], () => [1], () => [[]], () => [[[[]]]], () => [[[[1]]]], () => [1, 'a', null, undefined],
  () => [, 1], () => [1, , , 2, ,], () => new Array(5), () => new Array(1), () => [undefined, ,],
  () => also([1, 2], { x: 1, y: 'z' }), () => also([], { x: 1 }), () => also([, 1], { '-1': 2 }),
  () => also([1], { '01': 2, [Symbol('k')]: 3 }), () => range(6), () => range(7), () => range(27),
  () => range(100), () => range(101), () => range(250), () => range(102, () => 'ab'),
  () => range(20, (i) => 'x'.repeat(i)), () => range(30, (i) => i * 1000 - 7),
  () => range(10, (i) => ({ i })), () => range(8, (i) => [i, i]), () => range(30, (i) => `k${i}`),
  () => range(12, (i) => BigInt(i) ** 9n), () => range(9, (i) => (i % 2 ? i : `${i}`)),
  () => range(7, () => 'a long text that is here'), () => range(40, (i) => i / 7),
  () => range(16, () => undefined), () => range(7, () => '\u4e2d\u6587'), () => range(9, () => Foo),
  () => also(range(10), { extra: true }), () => range(3, () => 'x'.repeat(30)),
  () => range(3, () => 'x'.repeat(20)), () => range(26, (i) => (i === 3 ? 'z'.repeat(40) : 'a')),
  () => ({ a: range(10), b: { c: range(10), d: { e: range(10) } } }), () => new List(1, 2, 3),
  () => new List(), () => reprototyped([1, 2], null), () => new Uint8Array(3),
  () => new Float64Array([1.5, -0, NaN]), () => new BigInt64Array([1n, -2n]),
  () => new Uint16Array(200), () => new Uint8ClampedArray(), () => new Int32Array(range(8)),
  () => also(new Uint8Array(2), { x: 1 }), () => reprototyped(new Uint8Array(2), null),
  () => new ArrayBuffer(4), () => new ArrayBuffer(0), () => new ArrayBuffer(120),
  () => new DataView(new ArrayBuffer(3), 1), () => also(new ArrayBuffer(1), { x: 1 }),
  () => (function list() {
    return arguments;
  })(1, 'b'), () => [,, 'x', ...range(120)], () => also(new Array(200), { 3: 'x', 150: 'y' }),
];

const objects = [
  () => ({}), () => ({ a: 1 }), () => ({ 'a-b': 1, a_b: 2, 3: 4, $d: 5, 'q\'': 6, '': 7 }),
  () => ({ a: { b: { c: {} } } }), () => ({ a: { b: { c: { d: 1 } } } }), () => nested(6),
  () => ({ a: [[[1]]] }), () => ({ [Symbol('s')]: 1, [Symbol()]: 2, [Symbol('n\n')]: 3 }),
  () => ({ ['__proto__']: 1 }), () => ({ u: undefined, n: null, f() {}, g: () => {}, h: Foo }),
  () => hidden({ a: 1 }, 'h', 2), () => hidden({}, Symbol('h'), 2), () => withGetters(),
  () => Object.create(null), () => also(Object.create(null), { a: 1 }), () => Object.create({}),
  () => Object.create(Object.create(null)), () => Object.create({ a: 1 }), () => new Foo(),
  () => new Bar(), () => new Tagged(), () => also(new Tagged(), { a: 1 }), () => new Named(),
  () => ({ [Symbol.toStringTag]: 'own' }), () => hidden({}, Symbol.toStringTag, 'hid'),
  () => also(Object.create(null, { [Symbol.toStringTag]: { value: 'N' } }), { a: 1 }),
  () => Foo.prototype, () => Bar.prototype,
  () => ({ constructor: 'x' }), () => ({ constructor: Foo }), () => Object.prototype,
  () => new (class {})(), () => new (class extends Foo {})(), () => loop(), () => twoLoops(),
  () => range(3, loop), () => ({ text: 'x'.repeat(60), more: 'y'.repeat(20) }),
  () => ({ a: 'x'.repeat(30), b: 'y'.repeat(30) }),
  () => ({ a: 'x'.repeat(31), b: 'y'.repeat(31) }),
  () => ({ a: 1, b: 2, c: 3, d: 4, e: 5, f: 6, g: 7, h: 8, i: 9, j: 10, k: 11, l: 12, m: 13 }),
  () => ({ lines: 'one\ntwo\nthree\nfour and more\nfive and more' }), () => globalThis.Math,
  () => JSON, () => Reflect, () => also({}, { a: new Foo(), b: [new Bar()] }),
  () => ({ a: { b: 1, c: { d: [1, { e: 2 }] } }, f: [{ g: { h: 1 } }] }),
  () => range(5, (i) => ({ id: i, name: `name ${i}`, tags: ['a', 'b'] })),
  () => ({ a: new Map([[{ a: 1 }, new Set([1])]]) }),
];

const kinds = [
  () => new Map(), () => new Map([[1, 'a'], ['b', { c: 1 }]]), () => also(new Map(), { x: 1 }),
  () => new Map([[{ deep: { deep: {} } }, range(9)]]), () => new Map(range(120, (i) => [i, i])),
  () => new Set(), () => new Set([1, 'a', [2]]), () => new Set(range(120)),
  () => new Dict([[1, 2]]),
  () => new Bag([1]),

  () => new Date(0), () => new Date(NaN), () => also(new Date(0), { x: 1 }), () => new Day(0),
  () => reprototyped(new Date(0), null), () => /a/, () => /a\/b/gi, () => also(/a/, { x: 1 }),
  () => new Pattern('x'), () => reprototyped(/x/g, null), () => Object(1), () => Object(-0),
  () => Object('abc'), () => also(Object('abc'), { x: 1 }), () => Object(true), () => Object(1n),
  () => Object(Symbol('x')), () => reprototyped(Object(1), null),
  () => new (class N extends Number {})(3),
  () => function () {}, () => function named() {}, () => () => {}, () => async () => {},
  () => function* gen() {}, () => async function* agen() {}, () => also(() => {}, { x: 1 }),
  () => class {}, () => Foo, () => Bar, () => Static, () => class extends null {}, () => Math.max,
  () => reprototyped(() => {}, null), () => reprototyped(class Q {}, null),
  () => new Fn('return 1'),
  () => hidden(() => {}, 'name', 'given'), () => hidden(() => {}, Symbol.toStringTag, 'tagged'),
  () => also(class Z {}, { stat: [1] }), () => Object, () => Symbol, () => Promise.resolve(1),
  () => new Promise(() => {}), () => Promise.resolve({ a: { b: { c: {} } } }),
  () => Vow.resolve('v'),
  () => also(Promise.resolve(), { x: 1 }), () => (function* gen() {})(), () => Promise.prototype,
  () => new Proxy({ a: 1 }, {}), () => new Proxy([1, 2], {}), () => new Proxy(() => {}, {}),
  () => new Proxy(new Proxy({ b: 1 }, {}), {}), () => Map.prototype, () => Date.prototype,
  () => RegExp.prototype, () => Array.prototype, () => Function.prototype, () => Error.prototype,
  () => new WeakRef({}), () => Symbol.prototype, () => [new Date(0), /x/, Object(1), new Foo()],
  () => [[[new Date(0), /x/, also(/y/, { a: 1 }), Object(1), new Foo(), Foo, new Map(), []]]],
];

// Whose members an engine cannot list without taking them, or that Node shows beyond the limits.
const unseen = [
  () => new WeakMap(), () => new WeakSet(), () => also(new WeakSet(), { a: 1 }),
  () => reprototyped(new Map([[1, 2]]), null), () => reprototyped(new Set([1]), null),
];

const errors = [
  () => bare(new Error('plain')), () => framed(new Error('framed')),
  () => framed(new TypeError('t')),
  () => bare(new Error('')), () => bare(new Error('two\nlines')),
  () => framed(new Error('two\nlines')),
  () => framed(also(new Error('coded'), { code: 'E_X', errno: -2 })),
  () => framed(new MyError('m')),
  () => framed(new NamedError('n')), () => bare(new MyError('m')), () => bare(new NamedError('n')),
  () => framed(new Error('outer', { cause: framed(new Error('inner')) })),
  () => framed(new Error('outer', { cause: 'text' })),
  () => bare(new Error('c', { cause: undefined })),
  () => framed(new AggregateError([bare(new Error('1')), framed(new Error('2'))], 'many')),
  () => ({ error: framed(new Error('inside')) }), () => [framed(new RangeError('listed'))],
  () => ({ a: { b: { c: framed(new Error('deep')) } } }), () => bare(new Error('x'), undefined),
  () => bare(new Error('x'), 'odd stack'), () => bare(new Error('x'), 5),
  () => bare(new Error('x'), ''),
  () => reprototyped(framed(new Error('no proto')), null),
  () => framed(also(new Error('m'), { name: 'N' })),
  () => framed(also(new Error('m'), { message: 'other' })),
  () => also(bare(new Error('a')), { message: 'b' }),
  () => framed(new Error('run', {
    cause: framed(new Error('same'), '\n    at c (c:1:1)\n    at d (d:1:1)\n    at e (e:1:1)'),
  }), '\n    at c (c:1:1)\n    at d (d:1:1)\n    at e (e:1:1)'),
  () => framed(new Error('four alike', {
    cause: framed(new Error('same'), '\n    at c (c:1:1)\n    at d (d:1:1)'),
  }), '\n    at c (c:1:1)\n    at d (d:1:1)\n    at f (f:1:1)'),
  () => framed(new Error('three alike', {
    cause: framed(new Error('same'), '\n    at c (c:1:1)\n    at d (d:1:1)'),
  }), '\n    at c (c:1:1)\n    at e (e:1:1)\n    at f (f:1:1)'),
  () => new Map([[framed(new Error('key')), framed(new Error('value'))]]),
  () => also(framed(new Error('loops')), { get me() {
    return 1;
  } }), () => framed(hidden(new Error('named'), 'name', 'Special')),
  () => Promise.reject(bare(new Error('r'))),
  () => reprototyped(framed(new Error('other proto')), Foo.prototype),
  () => Object.create(Error.prototype),
];

const custom = Symbol.for('nodejs.util.inspect.custom');
const customs = [
  () => ({ [custom]: () => 'mine' }), () => ({ a: { [custom]: () => 'two\nlines' } }),
  () => ({ [custom]: () => ({ other: 1 }) }), () => ({ [custom]: () => 5 }),
  () => ({ [custom]: (depth, options) => `${depth} ${Object.keys(options).sort()}` }),
  () => ({ a: [{ [custom]: (depth) => depth }] }), () => ({ [custom]: 'no function' }),
  () => ({ [custom](depth, options, inspect) {
    return `<${inspect({ a: [1, { b: { c: 1 } }] }, options)}>`;
  } }), () => ({ [custom]() {
    return this;
  } }), () => new (class C {
    [custom]() {
      return 'C!';
    }
  })(), () => ({ [custom]: (d, options) => options.stylize('hey', 'number') }),
];

module.exports = { primitives, lists, objects, kinds, errors, customs, unseen };
