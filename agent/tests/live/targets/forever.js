// A loop that never ends: from `go` on, or from the start with `--at-once`; with `--worker` that of
// a worker, while the main thread goes on. A main thread can't tell a truth any more; whoever
// started it must kill it.
'use strict';

const { Worker, isMainThread, parentPort } = require('worker_threads');
const { target } = require('./target.js');

const inWorker = process.argv.includes('--worker');
const atOnce = process.argv.includes('--at-once');

function forever() {
  for (;;);
}

function besideWorker() {
  const worker = new Worker(__filename, { argv: process.argv.slice(2) });
  const go = () => worker.postMessage('go');
  worker.once('message', () => target({ go, truth: () => ({}) }));
}

function alone() {
  if (atOnce) {
    console.log('ready');
    setTimeout(forever, 20);
  } else {
    target({ go: () => setImmediate(forever), truth: () => ({}) });
  }
}

if (!isMainThread) {
  parentPort.on('message', forever);
  parentPort.postMessage('ready');
  if (atOnce) setTimeout(forever, 20);
} else if (inWorker) {
  besideWorker();
} else {
  alone();
}
