// A cluster of two children. Each has drains of its own length and a block. Truth: the same, by
// process.
'use strict';

const cluster = require('cluster');
const { busy, target, drainOfPromises } = require('./target.js');

const CHILDREN = 2;

function primary() {
  const told = [];
  let finished = () => {};
  const all = (done) => {
    finished = done;
    for (const worker of Object.values(cluster.workers)) worker.send('go');
  };
  let ready = 0;
  cluster.on('message', (worker, message) => {
    if (message === 'ready') {
      ready += 1;
      if (ready === CHILDREN) target({ go: all, truth: () => ({ children: told }) });
      return;
    }
    told.push({ pid: worker.process.pid, ...message });
    if (told.length === CHILDREN) finished();
  });
  for (let i = 0; i < CHILDREN; i += 1) cluster.fork();
}

function child() {
  const drains = [];
  const { id } = cluster.worker;
  process.on('message', () => {
    setTimeout(() => drainOfPromises(1_000 * id, drains), 20);
    setTimeout(() => {
      const blocks = [busy(100 * id)];
      process.send({ drains, blocks });
    }, 60);
  });
  process.send('ready');
}

if (cluster.isPrimary) primary();
else child();
