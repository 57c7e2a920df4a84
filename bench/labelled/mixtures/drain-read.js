// wrong: One of twenty reactions in a drain reads a file that comes late.
// see: sync_io, though it lies in the drain; the rest of the drain is microtasks.
'use strict';

const fs = require('node:fs');
const { run, part } = require('../support/truth');
const { compute, drain, slowFile } = require('../support/parts');

const file = slowFile();
let job = 0;

function react(ms) {
  if (++job % 20 !== 10) return void compute(ms);
  file.tell(100);
  part('sync_io', () => fs.readFileSync(file.name));
}

run({ cause: null, stop: file.stop }, () => drain(20, 150, react));
