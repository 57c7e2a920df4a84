// Waits for whoever is at the other end of its standard error: reads a byte of it or, at the
// argument `--write`, writes more than fits. Truth: for how long.
'use strict';

const fs = require('fs');
const { now, target } = require('./target.js');

const lasted = [];

function waitForPeer() {
  const start = now();
  if (process.argv.includes('--write')) fs.writeSync(2, Buffer.alloc(1 << 20));
  else fs.readSync(2, Buffer.alloc(1));
  lasted.push(now() - start);
}

target({
  go(done) {
    setTimeout(() => {
      waitForPeer();
      setTimeout(done, 100);
    }, 100);
  },
  truth: () => ({ lasted }),
});
