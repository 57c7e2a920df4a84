// title: The same log lines, written on the threads of the pool.
// fixed: Writes by the callback API: the pool's threads wait, and the loop turns.
// see: No block, whatever the disk takes.
// args: --count=3 Requests.
// args: --block-ms=100 How long the handler of each writes.
'use strict';

const fs = require('fs');
const path = require('path');
const { performance } = require('perf_hooks');
const given = new Map(process.argv.slice(2).map((arg) => arg.split('=')));
const count = Number(given.get('--count') ?? 3);
const blockMs = Number(given.get('--block-ms') ?? 100);
const folder = fs.mkdtempSync(path.join(process.env.TMPDIR ?? '/tmp', 'sync-io-'));
const log = path.join(folder, 'log');
const fd = fs.openSync(log, 'w');

// The time until the loop comes to its next immediate is a block if it is 50 ms or more.
const blocks = [];
function measure() {
  const began = performance.now();
  setImmediate(() => {
    const ms = performance.now() - began;
    if (ms >= 50) blocks.push(+ms.toFixed(1));
  });
}

function writeLog(end, done) {
  fs.write(fd, 'a line of the log\n', () => fs.fsync(fd, () => {
    measure();
    if (performance.now() < end) writeLog(end, done);
    else done();
  }));
}

function handleRequest(left) {
  measure();
  writeLog(performance.now() + blockMs, () => {
    if (left > 1) setTimeout(handleRequest, 1, left - 1);
  });
}

setImmediate(setTimeout, handleRequest, 1, count);

process.on('exit', () => {
  fs.closeSync(fd);
  fs.unlinkSync(log);
  fs.rmdirSync(folder);
  console.log(JSON.stringify({ truth: {
    workload: 'sync-io', fixed: true, cause: 'healthy', function: null,
    blocks_ms: blocks, longest_drain: 0,
  } }));
});
