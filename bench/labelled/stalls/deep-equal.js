// wrong: Two big objects are compared field by field, by recursion, to find out what has changed.
// see: Stalls of 100 ms and more in deepEqual, which calls itself.
'use strict';

const { run } = require('../support/truth');

function tree(depth) {
  const leaf = { a: depth, b: 'text', c: [depth, depth + 1] };
  return depth === 0 ? leaf : { ...leaf, left: tree(depth - 1), right: tree(depth - 1) };
}
const [before, after] = [tree(15), tree(15)];

function deepEqual(one, other) {
  if (one === other) return true;
  if (typeof one !== 'object' || typeof other !== 'object') return false;
  const keys = Object.keys(one);
  if (keys.length !== Object.keys(other).length) return false;
  for (const key of keys) if (!deepEqual(one[key], other[key])) return false;
  return true;
}

run({ cause: 'cpu-bound-callback', culprit: deepEqual }, () => {
  for (let time = 0; time < 5; time++) deepEqual(before, after);
});
