// wrong: The whole state is copied by structuredClone before each change.
// see: Stalls of 100 ms and more in snapshotState; the leaf is native code of Node and V8.
'use strict';

const { run } = require('../support/truth');

const state = Object.fromEntries(Array.from({ length: 60_000 }, (_, id) => (
  [`key${id}`, { id, name: `name ${id}`, children: [{ id }, { id: -id }], set: new Set([id]) }])));

function snapshotState() {
  return structuredClone(state);
}

run({ cause: 'cpu-bound-callback', culprit: snapshotState }, () => snapshotState());
