// wrong: A handler computes, reads a file that comes late, and leaves thousands of promise
//   reactions behind.
// see: A third javascript, a third sync_io (openat and read of a FIFO), a third microtasks.
'use strict';

const fs = require('node:fs');
const { part, run } = require('../support/truth');
const { spin, slowFile, drain } = require('../support/parts');

const file = slowFile();

function handleRequest() {
  spin(100);
  file.tell(100);
  part('sync_io', () => fs.readFileSync(file.name));
  drain(2000, 100);
}

run({ cause: null, stop: file.stop }, handleRequest);
