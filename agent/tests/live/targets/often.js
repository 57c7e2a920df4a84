// Turns very often: an immediate queues the next, each computes for as many microseconds as the
// argument says, and has a microtask. Every 300 ms one holds the loop for 90 ms. At `mark` a worker
// begins that does what a worker does, and stays. Truth: the blocks, and the turns.
'use strict';

const { Worker, isMainThread } = require('worker_threads');
const { now, busy, target, drainOfPromises } = require('./target.js');

function main() {
  const work_ms = Number(process.argv[2]) / 1e3;
  const blocks = [];
  let turns = 0;
  let block = now();
  const turn = () => {
    turns += 1;
    queueMicrotask(() => {});
    if (now() - block > 300e6) {
      blocks.push(busy(90));
      block = now();
    } else {
      busy(work_ms);
    }
    setImmediate(turn);
  };
  target({
    go(done) {
      block = now();
      turn();
      done();
    },
    mark: () => new Worker(__filename),
    truth: () => ({ blocks, turns }),
  });
}

if (isMainThread) main();
else setInterval(() => drainOfPromises(20, []), 20);
