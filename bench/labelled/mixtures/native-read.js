// wrong: A handler derives a key by crypto.pbkdf2Sync, and reads a file that comes late.
// see: Half native, half sync_io.
'use strict';

const fs = require('node:fs');
const { run, part } = require('../support/truth');
const { native, calibrate, slowFile } = require('../support/parts');

const file = slowFile();
calibrate();

function handleRequest() {
  native(100);
  file.tell(100);
  part('sync_io', () => fs.readFileSync(file.name));
}

run({ cause: null, stop: file.stop }, handleRequest);
