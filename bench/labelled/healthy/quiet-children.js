// shows: Child processes that share no pipe with us: only a signal tells that one has ended.
// see: healthy. libuv forgets the part of a wait that a signal ends, which Node's own
//   eventLoopUtilization() takes for work; nothing ran all the same.
'use strict';

const { spawn } = require('node:child_process');
const { noStalls } = require('../support/truth');

function start(left) {
  const child = spawn('sleep', ['0.4'], { stdio: 'ignore' });
  child.on('exit', () => { if (left > 1) start(left - 1); });
}

noStalls('healthy', () => start(5));
