// wrong: A handler computes, and then runs a command by execFileSync.
// see: A third javascript, two thirds sync_io: the thread waits for a child process.
'use strict';

const { execFileSync } = require('node:child_process');
const { run, part } = require('../support/truth');
const { spin } = require('../support/parts');

function handleRequest() {
  spin(80);
  part('sync_io', () => execFileSync('sleep', ['0.15']));
}

run({ cause: null }, handleRequest);
