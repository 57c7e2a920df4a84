// shows: Passwords that are checked by crypto.pbkdf2 with a callback, two at a time.
// see: healthy; the work is done by threads of the pool.
'use strict';

const crypto = require('node:crypto');
const { noStalls } = require('../support/truth');

function check(end) {
  crypto.pbkdf2('secret', 'salt', 20_000, 64, 'sha512', (error) => {
    if (error) throw error;
    if (performance.now() < end) check(end);
  });
}

noStalls('healthy', () => {
  const end = performance.now() + 2000;
  check(end);
  check(end);
});
