// wrong: A handler parses measurements of some 60 MB in one JSON.parse.
// see: Stalls of 100 ms and more in loadSeries; the leaf is V8's own JSON.parse.
'use strict';

const { run } = require('../support/truth');

const values = (id) => Array.from({ length: 8000 }, (_, at) => (id * 8000 + at) / 7919);
const text = JSON.stringify(Array.from({ length: 400 }, (_, id) => ({ id, values: values(id) })));

function loadSeries() {
  return JSON.parse(text).length;
}

run({ cause: 'cpu-bound-callback', culprit: loadSeries }, () => loadSeries());
