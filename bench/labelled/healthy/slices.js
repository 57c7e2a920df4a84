// shows: A computation of a second in slices of 5 ms, with a turn of the loop between two.
// see: healthy, though the loop is busy most of the time.
'use strict';

const { noStalls } = require('../support/truth');
const { compute } = require('../support/parts');

function slice(left) {
  compute(5);
  if (left > 1) setImmediate(slice, left - 1);
}

noStalls('healthy', () => slice(200));
