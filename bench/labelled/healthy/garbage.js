// shows: Thousands of short-lived objects in each turn, and 2 ms of other work.
// see: healthy; many collections of the young generation, each of a millisecond or less.
'use strict';

const { noStalls } = require('../support/truth');
const { compute } = require('../support/parts');

let kept = null;
function turn(left) {
  for (let id = 0; id < 2000; id++) kept = { id, name: `name ${id}`, list: [id, id + 1] };
  compute(2);
  if (left > 1) setTimeout(turn, 5, left - 1);
}

noStalls('healthy', () => turn(350));
