// wrong: A handler computes, and then waits for a lock that a worker would hold.
// see: Half javascript, half lock_wait (futex).
'use strict';

const { run } = require('../support/truth');
const { spin, wait } = require('../support/parts');

function handleRequest() {
  spin(100);
  wait(100);
}

run({ cause: null }, handleRequest);
