// wrong: Nothing here: callbacks take 30 ms. Eight other processes keep the CPU busy that this one
//   was given.
// see: Stalls of 150 ms and more, cpu-starved: most of each is run_queue.
'use strict';

const { execFileSync, spawn } = require('node:child_process');
const { run } = require('../support/truth');
const { heldBack, settle } = require('../support/parts');

execFileSync('taskset', ['--all-tasks', '--cpu-list', '--pid', '0', String(process.pid)]);
const spinning = `while kill -0 ${process.pid}; do
  n=0; while [ $n -lt 20000 ]; do n=$((n+1)); done; done`;
const busy = Array.from({ length: 8 }, () => (
  spawn('taskset', ['--cpu-list', '0', 'sh', '-c', spinning], { stdio: 'ignore' })));

settle();

function handleRequest() {
  heldBack(30, 'run_queue', () => () => 0);
}

const stop = () => busy.forEach((one) => one.kill());
run({ cause: 'cpu-starved', rest: 'run_queue', stop }, handleRequest);
