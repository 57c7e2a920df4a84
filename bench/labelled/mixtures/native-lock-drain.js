// wrong: A handler derives a key, waits for a lock, and leaves many promise reactions behind.
// see: A third native, a third lock_wait, a third microtasks.
'use strict';

const { run } = require('../support/truth');
const { calibrate, drain, native, wait } = require('../support/parts');

calibrate();

function handleRequest() {
  native(100);
  wait(100);
  drain(3000, 100);
}

run({ cause: null }, handleRequest);
