// wrong: A handler computes on a CPU that it shares with two busy neighbours.
// see: About a third javascript, the rest run_queue.
'use strict';

const { execFileSync, spawn } = require('node:child_process');
const { run } = require('../support/truth');
const { spin } = require('../support/parts');

execFileSync('taskset', ['--all-tasks', '--cpu-list', '--pid', '0', String(process.pid)]);
const busy = [1, 2].map(() => (
  spawn('taskset', ['--cpu-list', '0', 'sh', '-c', `while kill -0 ${process.pid}; do
    n=0; while [ $n -lt 20000 ]; do n=$((n+1)); done; done`], { stdio: 'ignore' })));

function handleRequest() {
  spin(200);
}

run({ cause: null, stop: () => busy.forEach((one) => one.kill()) }, handleRequest);
