// Takes memory at `go`, all that there is, until somebody puts an end to it.
'use strict';

const { target } = require('./target.js');

const kept = [];

function take() {
  kept.push(Buffer.alloc(4 << 20, kept.length + 1));
  setImmediate(take);
}

target({ go: take, truth: () => ({ kept: kept.length }) });
