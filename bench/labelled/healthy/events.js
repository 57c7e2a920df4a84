// shows: An EventEmitter with ten listeners, that emits a hundred events in each turn.
// see: healthy.
'use strict';

const { EventEmitter } = require('node:events');
const { noStalls } = require('../support/truth');

const bus = new EventEmitter();
bus.setMaxListeners(20);
let heard = 0;
for (let listener = 0; listener < 10; listener++) bus.on('event', (id) => { heard += id; });

function turn(left) {
  for (let id = 0; id < 100; id++) bus.emit('event', id);
  if (left > 1) setImmediate(() => setTimeout(turn, 1, left - 1));
}

noStalls('healthy', () => turn(1000));
