'use strict';
// Our `console` writes what Node's `Console` writes, to the same of the two outputs; and a lone
// string is never printed by way of `inspect`.

const { Writable } = require('stream');
const { load, written } = require('./loader');
const { check, finish } = require('./report');

const ours = load('console');
const got = { out: '', err: '' };
const into = (key) => new Writable({
  write(chunk, _, done) {
    got[key] += chunk;
    done();
  },
});
const node = new console.Console({ stdout: into('out'), stderr: into('err') });

class Foo {
  constructor() {
    this.a = 1;
  }
}
const wide = Array.from({ length: 40 }, (_, i) => `entry ${i}`);

const CASES = [
  (c) => c.log(), (c) => c.log('plain'), (c) => c.log('%s'), (c) => c.log('a', 1, { b: 2 }),
  (c) => c.log('%s is %d', 'x', 5), (c) => c.log(''), (c) => c.log(undefined), (c) => c.log(null),
  (c) => c.log('two\nlines'), (c) => c.log(wide), (c) => c.log({ wide }), (c) => c.info('i'),
  (c) => c.debug('d', [1]), (c) => c.error('e', { a: 1 }), (c) => c.warn('w'),
  (c) => c.dirxml('x', 1),
  (c) => c.log('%o', [1]), (c) => c.log('100%', 5), (c) => c.error('%s', 'x', 'y'),
  (c) => c.dir({ a: { b: { c: { d: 1 } } } }), (c) => c.dir({ a: { b: 1 } }, { depth: 0 }),
  (c) => c.dir({ [Symbol.for('nodejs.util.inspect.custom')]: () => 'custom' }),
  (c) => c.dir('text'),
  (c) => c.group('label'), (c) => c.log('in'), (c) => c.log('in\nside'), (c) => c.log(wide),
  (c) => c.error('in'), (c) => c.group('more', 1), (c) => c.log({ a: 'x'.repeat(70) }),
  (c) => c.dir({ a: 1 }), (c) => c.log({ a: 'x'.repeat(34), b: 'y'.repeat(29) }),
  (c) => c.groupEnd(), (c) => c.log('out'), (c) => c.groupCollapsed(), (c) => c.log('again'),
  (c) => c.groupEnd(), (c) => c.groupEnd(), (c) => c.groupEnd(), (c) => c.log('end'),
  (c) => c.count(), (c) => c.count(), (c) => c.count('x'), (c) => c.countReset(), (c) => c.count(),
  (c) => c.assert(true, 'no'), (c) => c.assert(false), (c) => c.assert(0, 'x'), (c) => c.clear(),
  (c) => c.assert(false, 'x %s', 5), (c) => c.assert(false, { a: 1 }), (c) => c.table(5),
  (c) => c.table([]), (c) => c.table([1, 'a', null]),
  (c) => c.table([{ a: 1, b: 'x' }, { a: 2, c: [1] }]),
  (c) => c.table([[1, 2], [3, 4]]), (c) => c.table({ x: { a: 1 }, y: { a: 2 }, z: 5 }),
  (c) => c.table(new Map([['k', { a: 1 }], [2, 'v']])), (c) => c.table(new Set([1, 'b', { c: 1 }])),
  (c) => c.table([{ a: 1, b: 2 }, { a: 3, b: 4 }], ['b']), (c) => c.table([1, 2], ['a']),
  (c) => c.table([{ a: { x: 1, y: 2, z: 3 } }, { a: { x: { y: 1 } } }]),
  (c) => c.table([new Foo()]),
  (c) => c.table([{ name: '\u4e2d\u6587', n: 1 }, { name: 'ab', n: 22222 }]), (c) => c.table(null),
  (c) => c.table([{ a: range5() }]), (c) => c.table([() => {}, Symbol('s')]),
  (c) => c.table([undefined]),
];

function range5() {
  return [1, 2, 3, 4, 5];
}

function framesAway(text) {
  return text.split('\n').filter((line) => !/^ +at /.test(line)).join('\n');
}

function run(target, text, act) {
  text.out = '';
  text.err = '';
  act(target);
  return `out <${text.out}> err <${framesAway(text.err)}>`;
}

function checkTimes() {
  const label = (text) => text.replace(/[\d.]+(ms|s)/, 'N$1');
  const act = (c) => {
    c.time('t');
    c.timeLog('t', { a: 1 });
    c.timeEnd('t');
  };
  const mine = run(ours, written, act).split('\n').map(label);
  check('times', mine.join('\n'), run(node, got, act).split('\n').map(label).join('\n'));
}

// The length of a time, through the clock of the module `process`.
function checkDurations() {
  const { formatTime } = require('internal/console/constructor');
  const { hrtime } = process;
  for (const ms of [0, 0.0004, 1.23456, 999.9994, 1000, 12345.678, 59999.4, 60000, 61234.5, 3599999,
    3600000, 3723456.7, 90061001]) {
    process.hrtime = (start) => (start ? [Math.floor(ms / 1000), ms % 1000 * 1e6] : [0, 0]);
    written.out = '';
    ours.time('d');
    ours.timeEnd('d');
    check(`${ms} ms`, written.out, `d: ${formatTime(ms)}\n`);
  }
  process.hrtime = hrtime;
}

function checkWarnings() {
  const { emitWarning } = process;
  const twice = (c) => {
    c.time('twice');
    c.time('twice');
  };
  const none = ['timeEnd', 'timeLog', 'countReset'].map((name) => (c) => c[name]('none'));
  for (const act of [...none, twice]) {
    const seen = [];
    process.emitWarning = (...args) => seen.push(args);
    act(ours);
    act(node);
    check(`${act}`, JSON.stringify(seen[0]), JSON.stringify(seen[1]));
    check(`${act}: both warned`, seen.length, 2);
  }
  process.emitWarning = emitWarning;
}

for (const act of CASES) check(`${act}`, run(ours, written, act), run(node, got, act));
for (const act of [(c) => c.trace(), (c) => c.trace('here %d', 5), (c) => c.trace({ a: 1 })]) {
  check(`${act}`, run(ours, written, act), run(node, got, act));
}
written.err = '';
ours.trace('x');
const firstFrame = written.err.split('\n')[1];
check('a trace starts at its caller', firstFrame.includes('tests/lib/console.js'), true);
const { log } = ours;
check('a method alone', run({ log }, written, (c) => c.log('alone')), 'out <alone\n> err <>');
checkTimes();
checkDurations();
checkWarnings();
finish('console');
