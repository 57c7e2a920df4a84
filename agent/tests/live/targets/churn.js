// Many short-lived child processes: as many as the first argument says, eight at a time, each a
// program that ends at once, every fiftieth a Node. Truth: how many ended well.
'use strict';

const { spawn } = require('child_process');
const { target } = require('./target.js');

const PROCESSES = Number(process.argv[2]);
let started = 0;
let ended = 0;
let well = 0;

function next(done) {
  if (started === PROCESSES) return;
  started += 1;
  const node = started % 50 === 0;
  const child = node ? spawn(process.execPath, ['-e', '0']) : spawn('true');
  child.on('exit', (code) => {
    ended += 1;
    if (code === 0) well += 1;
    if (ended === PROCESSES) done();
    else next(done);
  });
}

target({
  go(done) {
    for (let i = 0; i < 8; i += 1) next(done);
  },
  truth: () => ({ ended, well }),
});
