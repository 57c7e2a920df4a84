// A program that uses much of the library, and calls no method of a built-in prototype itself. Its
// argument says what it does to one first: `String slice throws`, `String slice goes`; `all go` for
// all of them; `list` prints their names, and `none` leaves them as they are.
'use strict';

const prototypeOf = (value) => Reflect.getPrototypeOf(value);
const HOLDERS = {
  __proto__: null,
  String: String.prototype, Array: Array.prototype, RegExp: RegExp.prototype,
  Function: Function.prototype, Number: Number.prototype, Boolean: Boolean.prototype,
  BigInt: BigInt.prototype, Symbol: Symbol.prototype, Date: Date.prototype,
  Object: Object.prototype, Error: Error.prototype, Promise: Promise.prototype,
  Map: Map.prototype, Set: Set.prototype, WeakMap: WeakMap.prototype, WeakSet: WeakSet.prototype,
  Uint8Array: Uint8Array.prototype, TypedArray: prototypeOf(Uint8Array.prototype),
  ArrayIterator: prototypeOf([].values()), StringIterator: prototypeOf(''[Symbol.iterator]()),
  MapIterator: prototypeOf(new Map().values()), SetIterator: prototypeOf(new Set().values()),
};
const map = new Map([[1, { x: 1 }]]);
const set = new Set(['q']);
const ways = {};
const names = [];

for (const holder of Object.keys(HOLDERS)) {
  for (const key of Reflect.ownKeys(HOLDERS[holder])) {
    const { value, configurable } = Reflect.getOwnPropertyDescriptor(HOLDERS[holder], key);
    if (key === 'constructor' || typeof value !== 'function' || !configurable) continue;
    const name = `${holder} ${typeof key === 'symbol' ? key.description : key}`;
    names.push(name);
    ways[`${name} goes`] = () => delete HOLDERS[holder][key];
    ways[`${name} throws`] = () => Reflect.defineProperty(HOLDERS[holder], key, {
      configurable: true,
      value() {
        throw new Error('what the library should not call');
      },
    });
  }
}
ways.none = () => {};
// By what can be iterated `inspect` tells what something is, as in Node; see the test for `concat`.
const all = names.filter((name) => !name.endsWith('.iterator') && name !== 'String concat')
  .map((name) => ways[`${name} goes`]);
ways['all go'] = () => {
  for (let i = 0; i < all.length; i++) all[i]();
};
// As a program does that makes all objects its own.
ways.more = () => {
  Object.prototype.foo = 1;
  Array.prototype.bar = () => {};
  String.prototype.baz = () => {};
};

if (process.argv[2] === 'list') {
  console.log(names.join('\n'));
  process.exit();
}
ways[process.argv[2]]();

const util = require('util');
const fs = require('fs');
const path = require('path');
const { EventEmitter } = require('events');

class Point {}
const circle = { name: 'it\'s\n' };
circle.self = circle;
const values = [
  circle, [1.5, , 'x', [[[[2]]]]], map, set, /x/g, new Date(0),
  Symbol('q'), Point, new Point(), new Uint8Array(3), Object.create(null), -0, 1n, true, undefined,
  null, 'text', () => {}, Promise.resolve(1), new Error('shown').message, [undefined, null],
  new Array(120), { get a() { return 1; } }, new Number(3), [new Error('in a list').name],
];
for (let i = 0; i < values.length; i++) console.log(values[i]);
console.log('%s is %d of %j %o', 'a', 1, 'b', [1], 'and', { more: 1 });
console.error('to stderr %s', 'too');
console.log(util.inspect({ a: 'x' }, { colors: true, compact: false }), util.format('%i', '7'));
console.table([{ a: 1 }, { a: 'two' }]);
console.log(util.inspect([1, { b: set }], { showHidden: true, sorted: true }));
console.group('group');
console.log('in\nit');
console.groupEnd();

const emitter = new EventEmitter();
const listener = (one, two) => console.log('on', one, two);
emitter.on('a', listener);
emitter.once('a', (one) => console.log('once', one));
emitter.prependListener('a', () => console.log('first'));
emitter.on('a', () => console.log('last'));
emitter.emit('a', 1, 2);
console.log(emitter.listenerCount('a'), emitter.eventNames(), emitter.listeners('a'));
emitter.off('a', listener);
emitter.emit('a', 1);
emitter.removeAllListeners();

setTimeout((a, b) => console.log('timeout', a, b), 1, 'one', 'two');
const interval = setInterval(() => {
  console.log('interval');
  clearInterval(interval);
}, 1);
setImmediate((a) => console.log('immediate', a), 'one');
process.nextTick((a) => console.log('tick', a), 'one');
queueMicrotask(() => console.log('microtask'));
(async () => {
  await null;
  console.log('awaited', await 1);
})();
process.on('exit', (code) => console.log('exit', code));
process.on('warning', () => {});

console.log(path.join('a', '..', 'b', './c'), path.resolve('/x', 'y'), path.dirname('/a/b'),
  path.relative('/a/b', '/a/c'), path.basename('/a/b.js', '.js'), path.extname('a.b.c'),
  path.parse('/a/b.c'),
  path.normalize('/a//b/../c/'), path.isAbsolute('/a'), path.format({ dir: '/a', base: 'b' }));
const url = new URL('http://user@example.com:8080/a/../b%20c?x=1&y=2#hash');
console.log(url.href, url.host, url.searchParams.get('y'));
console.log(String(new URLSearchParams({ a: 'b c' })));
console.log(require('querystring').parse('a=1&b=%20c').b, Buffer.from('hi é').toString('hex'));
console.log(require('url').fileURLToPath('file:///a%20b'));
console.log(require('./beside/data.json'), require('./beside/code'));
try {
  require('./absent');
} catch (error) {
  console.log(error.code);
}
try {
  fs.readFileSync('/absent');
} catch (error) {
  console.log(error.message);
}
try {
  path.join(1);
} catch (error) {
  console.log(error.code, error.message);
}

console.log(fs.readFileSync(require.resolve('./beside/data.json'), 'utf8').length,
  fs.existsSync('/absent'), fs.statSync(__dirname).isDirectory());
fs.readFile(require.resolve('./beside/data.json'), 'utf8', (error, text) => {
  console.log(error, text);
  setTimeout(() => {
    throw new TypeError('uncaught');
  }, 2);
});
