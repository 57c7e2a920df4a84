// wrong: Between two computations V8 collects a heap with much that is alive.
// see: Two thirds javascript, one third gc.
'use strict';

const { run } = require('../support/truth');
const { spin, collect, fillHeap } = require('../support/parts');

fillHeap();

function handleRequest() {
  spin(100);
  collect(100);
  spin(100);
}

run({ cause: null }, handleRequest);
