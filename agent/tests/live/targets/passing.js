// Workers that come and go: three, one after the other, each with one drain of its own length, as
// soon as it begins, and another before it ends. Truth: the drains by thread.
'use strict';

const { Worker, isMainThread, parentPort, threadId } = require('worker_threads');
const { target, drainOfPromises } = require('./target.js');

const WORKERS = 3;
const told = [];

function next(done) {
  if (told.length === WORKERS) {
    done();
    return;
  }
  const worker = new Worker(__filename);
  worker.on('message', (message) => told.push(message));
  worker.on('exit', () => setTimeout(next, 50, done));
}

function worker() {
  const drains = [];
  drainOfPromises(100 * threadId, drains);
  setTimeout(() => drainOfPromises(1_000 * threadId, drains), 300);
  setTimeout(() => parentPort.postMessage({ threadId, drains }), 400);
}

if (isMainThread) target({ go: next, truth: () => ({ workers: told }) });
else worker();
