// Three workers. Each has drains of its own, holds its own loop for a while, and says by its own
// numbers what it did. Truth: the same, by thread, and the drains of the main thread.
'use strict';

const { Worker, isMainThread, parentPort, threadId } = require('worker_threads');
const { busy, target, drainOfPromises } = require('./target.js');

const WORKERS = 3;

function main() {
  const told = [];
  const drains = [];
  let ready = 0;
  let begin;
  const workers = [];
  for (let i = 0; i < WORKERS; i += 1) {
    const worker = new Worker(__filename);
    worker.on('message', (message) => {
      if (message === 'ready') {
        ready += 1;
        if (ready === WORKERS) target({ go: begin, truth: () => ({ drains, workers: told }) });
        return;
      }
      told.push(message);
      if (told.length === WORKERS) {
        drainOfPromises(50, drains);
        setTimeout(begin.done, 50);
      }
    });
    workers.push(worker);
  }
  begin = (done) => {
    begin.done = done;
    workers.forEach((worker) => worker.postMessage('go'));
  };
}

// Worker 1 has 5 drains of 1,000 jobs and a block of 60 ms, worker 2 of 2,000 and 120 ms, ...
function worker() {
  const drains = [];
  const blocks = [];
  const work = () => {
    const timer = setInterval(() => {
      if (drains.length < 5) {
        drainOfPromises(500 * threadId, drains);
      } else if (blocks.length < 1) {
        blocks.push(busy(60 * threadId));
      } else {
        clearInterval(timer);
        parentPort.postMessage({ threadId, drains, blocks });
      }
    }, 20);
  };
  parentPort.on('message', work);
  parentPort.postMessage('ready');
}

if (isMainThread) main();
else worker();
