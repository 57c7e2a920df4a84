// shows: Commands that are run by exec with a callback, one behind the other.
// see: healthy; only the start of each takes some milliseconds.
'use strict';

const { exec } = require('node:child_process');
const { noStalls } = require('../support/truth');

function ask(left) {
  exec('sleep 0.05; echo 1234567', (error, text) => {
    if (error || !text.startsWith('1234567')) throw error ?? new Error(`told ${text}`);
    if (left > 1) ask(left - 1);
  });
}

noStalls('healthy', () => ask(25));
