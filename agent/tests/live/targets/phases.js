// One block in each phase that can be told apart: 80 ms in a timer, 120 ms in the callback of a
// file that was read, 160 ms in an immediate. Truth: the blocks by phase.
'use strict';

const fs = require('fs');
const { busy, target } = require('./target.js');

const blocks = {};

target({
  go(done) {
    setTimeout(() => {
      blocks.timers = busy(80);
    }, 50);
    setTimeout(() => {
      fs.readFile(__filename, () => {
        blocks.poll = busy(120);
      });
    }, 250);
    setTimeout(() => {
      setImmediate(() => {
        blocks.check = busy(160);
      });
    }, 500);
    setTimeout(done, 800);
  },
  truth: () => ({ blocks }),
});
