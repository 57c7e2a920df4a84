// shows: Two hundred promises in each turn, all settled before the next.
// see: healthy; drains of some hundred jobs, fewer than a flood has.
'use strict';

const { noStalls } = require('../support/truth');

async function turn(left) {
  await Promise.all(Array.from({ length: 200 }, async (_, id) => id * left));
  if (left > 1) setTimeout(turn, 2, left - 1);
}

noStalls('healthy', () => turn(800));
