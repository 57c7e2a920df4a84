// wrong: A cache without a bound keeps a copy of all that it was ever asked for. All of it is alive
//   whenever V8 collects: what is new is moved twice, and what is old is looked through. As in a
//   container with one CPU, no other thread helps.
// node: --single-threaded-gc --no-incremental-marking
// see: Stalls of 100 ms and more in remember, most of each gc.
'use strict';

const { run } = require('../support/truth');

const user = { id: 1, name: 'x', mail: null, age: 3, rights: 4, since: 5.5, seen: 6, group: 7 };
const cache = new Map();
let id = 0;

function remember(count) {
  for (let left = count; left > 0; left--, id++) {
    cache.set(id, { ...user, mail: { ...user }, rights: { ...user }, group: { ...user } });
  }
}

run({ cause: 'gc-pressure', culprit: remember }, () => remember(100_000));
