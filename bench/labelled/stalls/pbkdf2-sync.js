// wrong: A login is checked by crypto.pbkdf2Sync on the loop's thread.
// see: Stalls of 100 ms and more in checkPassword; the leaf is OpenSSL.
'use strict';

const crypto = require('node:crypto');
const { run } = require('../support/truth');

function checkPassword(password, salt) {
  return crypto.pbkdf2Sync(password, salt, 210_000, 64, 'sha512');
}

run({ cause: 'cpu-bound-callback', culprit: checkPassword, key: 'native' },
  () => checkPassword('secret', 'salt'));
