// wrong: A drain of twenty reactions, in the middle of which V8 collects.
// see: gc, though it lies in the drain; the rest of the drain is microtasks.
'use strict';

const { run } = require('../support/truth');
const { compute, collect, drain, fillHeap } = require('../support/parts');

fillHeap();
let job = 0;

function react(ms) {
  if (++job % 20 === 10) collect(100);
  else compute(ms);
}

run({ cause: null }, () => drain(20, 150, react));
