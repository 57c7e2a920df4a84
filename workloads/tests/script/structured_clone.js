'use strict';
// Clones of all that can be cloned, and what is said of the rest.
const log = console.log;

const cycle = { list: [1, , 'x'], date: new Date(5), pattern: /a/gi, none: undefined, big: 5n };
cycle.self = cycle;
cycle.map = new Map([[cycle, new Set([cycle.list])]]);
const copy = structuredClone(cycle);
log(copy.self === copy, copy !== cycle, 1 in copy.list, copy.date, copy.pattern, 'none' in copy);
log([...copy.map.keys()][0] === copy, [...copy.map.get(copy)][0] === copy.list, copy.big);
const { buffer } = new Uint8Array([1, 2, 3, 4]);
const made = [new Uint8Array(buffer, 1, 2), new DataView(buffer), new Float32Array(1)];
const views = structuredClone(made);
log(views[0], views[0].buffer === views[1].buffer, views[1].byteLength, views[2]);
log(structuredClone(Buffer.from('ab')).constructor.name, structuredClone(new Number(5)));
const error = structuredClone(new RangeError('out', { cause: { a: 1 } }));
log(error instanceof RangeError, error.message, error.cause, Object.keys(error));
class Point {
  x = 1;
}
log(structuredClone(new Point()), structuredClone('x'), structuredClone(null));
const attempts = [() => {}, Symbol('s'), new WeakMap(), { f() {} }, Promise.resolve()];
for (const value of attempts) {
  try {
    structuredClone(value);
  } catch (failure) {
    log(failure.name, failure.code, failure.message);
  }
}
