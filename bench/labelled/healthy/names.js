// shows: Names of this machine that are looked up, one at a time.
// see: healthy; the pool has threads to spare.
'use strict';

const dns = require('node:dns');
const { noStalls } = require('../support/truth');

function lookUp(left) {
  dns.lookup('localhost', (error) => {
    if (error) throw error;
    if (left > 1) setTimeout(lookUp, 4, left - 1);
  });
}

noStalls('healthy', () => lookUp(400));
