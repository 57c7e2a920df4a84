// wrong: A handler answers with all rows of a table, by one JSON.stringify.
// see: Stalls of 100 ms and more in sendRows; the leaf is V8's own JSON.stringify.
'use strict';

const { run } = require('../support/truth');

const rows = Array.from({ length: 500_000 }, (_, id) => (
  { id, name: `row "${id}"`, when: '2024-02-29T12:00:00Z', values: [id, id / 3], done: false }));

function sendRows() {
  return Buffer.byteLength(JSON.stringify(rows));
}

run({ cause: 'cpu-bound-callback', culprit: sendRows }, () => sendRows());
