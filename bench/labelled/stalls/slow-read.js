// wrong: A handler reads its configuration by readFileSync, and the file comes late, as from a
//   network file system. Here it is a FIFO.
// see: Stalls of 150 ms in loadConfig that went to sync_io: openat and read.
'use strict';

const fs = require('node:fs');
const { run } = require('../support/truth');
const { slowFile } = require('../support/parts');

const file = slowFile();

function loadConfig(name) {
  return fs.readFileSync(name, 'utf8');
}

run({ cause: 'sync-io', culprit: loadConfig, key: 'sync_io', stop: file.stop }, () => {
  file.tell(150);
  loadConfig(file.name);
});
