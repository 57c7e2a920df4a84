// Workers by turns: one lives for two seconds, then the next one is started. Truth: how many there
// were.
'use strict';

const { Worker, isMainThread } = require('worker_threads');
const { target } = require('./target.js');

const WORKERS = 11;
let started = 0;

function next(done) {
  if (started === WORKERS) {
    done();
    return;
  }
  started += 1;
  new Worker(__filename).on('exit', () => next(done));
}

if (isMainThread) {
  target({ go: next, truth: () => ({ workers: started }) });
} else {
  const ticks = setInterval(() => {}, 5);
  setTimeout(() => clearInterval(ticks), 2_000);
}
