// As many workers as the first argument says, each with one drain of its own at `go`. Truth: how
// many there were, and the jobs of all drains.
'use strict';

const { Worker, isMainThread, parentPort, threadId } = require('worker_threads');
const { target, drainOfPromises } = require('./target.js');

const WORKERS = Number(process.argv[2]);

function main() {
  const drains = [];
  let ready = 0;
  let done;
  const told = (message) => {
    if (message !== 'ready') drains.push(...message);
    else ready += 1;
    if (message === 'ready' && ready === WORKERS) {
      target({ go, truth: () => ({ workers: ready, drains }) });
    }
    if (drains.length === WORKERS) setTimeout(done, 300);
  };
  const workers = Array.from({ length: WORKERS }, () => {
    const worker = new Worker(__filename);
    return worker.on('message', told);
  });
  function go(then) {
    done = then;
    workers.forEach((worker) => worker.postMessage('go'));
  }
}

function worker() {
  setInterval(() => {}, 20);
  parentPort.on('message', () => {
    const drains = [];
    drainOfPromises(100 + threadId, drains);
    setTimeout(() => parentPort.postMessage(drains), 20);
  });
  parentPort.postMessage('ready');
}

if (isMainThread) main();
else worker();
