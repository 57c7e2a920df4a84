// shows: Two worker threads that compute in slices, and a main thread that hands out the work.
// see: healthy, on the main thread and on the workers.
'use strict';

const { Worker, isMainThread, parentPort } = require('node:worker_threads');

if (isMainThread) {
  const { noStalls } = require('../support/truth');
  noStalls('healthy', () => {
    const end = performance.now() + 2000;
    for (let id = 0; id < 2; id++) {
      const worker = new Worker(__filename);
      worker.on('message', () => worker.postMessage(performance.now() < end));
    }
  });
} else {
  parentPort.on('message', (goOn) => {
    if (!goOn) return void parentPort.close();
    let sum = 0;
    for (let step = 0; step < 3_000_000; step++) sum = (sum + step * 31) % 65521;
    setTimeout(() => parentPort.postMessage(sum), 5);
  });
  parentPort.postMessage('ready');
}
