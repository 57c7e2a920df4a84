// wrong: A session's key is derived by crypto.scryptSync on the loop's thread.
// see: Stalls of 100 ms and more in deriveKey; the leaf is OpenSSL.
'use strict';

const crypto = require('node:crypto');
const { run } = require('../support/truth');

const options = { N: 2 ** 16, r: 8, p: 1, maxmem: 2 ** 27 };

function deriveKey(password, salt) {
  return crypto.scryptSync(password, salt, 64, options);
}

run({ cause: 'cpu-bound-callback', culprit: deriveKey }, () => deriveKey('secret', 'salt'));
