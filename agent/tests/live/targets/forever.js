// A loop that never ends: from `go` on, or from the start with `--at-once`. It can't tell a truth
// any more; whoever started it must kill it.
'use strict';

const { target } = require('./target.js');

function forever() {
  for (;;);
}

if (process.argv.includes('--at-once')) {
  console.log('ready');
  setTimeout(forever, 20);
} else {
  target({ go: () => setImmediate(forever), truth: () => ({}) });
}
