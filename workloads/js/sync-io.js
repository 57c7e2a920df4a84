// title: Callbacks that write a log line and wait for the disk, again and again, for 100 ms.
// wrong: The handler writes and syncs each line by writeSync and fsyncSync. The thread waits in the
//   kernel: little CPU is used, and yet no other callback has a turn.
// see: Three blocks of 100 ms, in a function named writeLog, that went to system calls.
// args: --count=3 Requests.
// args: --block-ms=100 How long the handler of each writes.
// fixed: Writes by the callback API: the pool's threads wait, and the loop turns.
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

function writeLog() {
  const end = performance.now() + blockMs;
  while (performance.now() < end) {
    fs.writeSync(fd, 'a line of the log\n');
    fs.fsyncSync(fd);
  }
}

function handleRequest(left) {
  measure();
  writeLog();
  if (left > 1) setTimeout(handleRequest, 1, left - 1);
}

setImmediate(setTimeout, handleRequest, 1, count);

process.on('exit', () => {
  fs.closeSync(fd);
  fs.unlinkSync(log);
  fs.rmdirSync(folder);
  console.log(JSON.stringify({ truth: {
    workload: 'sync-io', fixed: false, cause: 'sync-io', function: 'writeLog',
    blocks_ms: blocks, longest_drain: 0,
  } }));
});
