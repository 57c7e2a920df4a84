// Waits for child processes synchronously: three times `sleep 0.3`, for which libuv runs a loop of
// its own on the same thread. Truth: how long each call took.
'use strict';

const { execFileSync } = require('child_process');
const { now, target } = require('./target.js');

const calls = [];

target({
  go(done) {
    const timer = setInterval(() => {
      if (calls.length === 3) {
        clearInterval(timer);
        done();
        return;
      }
      const start = now();
      execFileSync('sleep', ['0.3']);
      calls.push(now() - start);
    }, 50);
  },
  truth: () => ({ calls }),
});
