// wrong: A handler asks a command for something, and waits for it by execSync.
// see: Stalls of 150 ms in readRevision that went to sync_io: the thread waits for a child.
'use strict';

const { execSync } = require('node:child_process');
const { run } = require('../support/truth');

function readRevision() {
  return execSync('sleep 0.15; echo 1234567').toString().trim();
}

run({ cause: 'sync-io', culprit: readRevision, key: 'sync_io' }, () => readRevision());
