// Workers that do nothing but collect garbage: the first one ends without ever having waited, the
// second one waits for a moment in the end. Truth: for each, by thread, how long it ran in its main
// script.
'use strict';

const { Worker, isMainThread, parentPort, threadId } = require('worker_threads');
const { target } = require('./target.js');

const RUNS_MS = 250;
const told = [];

function next(done) {
  if (told.length === 2) {
    done();
    return;
  }
  const worker = new Worker(__filename);
  worker.on('message', (message) => told.push(message));
  worker.on('exit', () => setTimeout(next, 300, done));
}

function worker() {
  const start = process.hrtime.bigint();
  let kept = [];
  while (Number(process.hrtime.bigint() - start) < RUNS_MS * 1e6) {
    kept.push(new Array(100).fill(kept.length));
    if (kept.length > 20_000) kept = [];
  }
  const ran = Number(process.hrtime.bigint() - start);
  parentPort.postMessage({ threadId, ran });
  if (threadId === 2) setTimeout(() => {}, 20);
}

if (isMainThread) target({ go: next, truth: () => ({ workers: told }) });
else worker();
