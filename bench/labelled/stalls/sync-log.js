// wrong: Each request is logged by writeSync to a pipe, whose reader takes 64 KiB in 100 ms.
// see: Stalls of 100 ms and more in logRequest that went to sync_io: write to a pipe that is full.
'use strict';

const { execFileSync, spawn } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { run } = require('../support/truth');

const line = `${'a line of the log '.repeat(56)}\n`;
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'labelled-'));
const name = path.join(folder, 'log');
execFileSync('mkfifo', [name]);
const slow = 'while sleep 0.1; do dd bs=64K count=1 iflag=fullblock of=/dev/null 2>&1; done';
const reader = spawn('sh', ['-c', `exec <'${name}'; ${slow}`], { stdio: 'ignore' });
const pipe = fs.openSync(name, 'w');
process.on('exit', () => fs.rmSync(folder, { recursive: true }));

function logRequest(count) {
  for (let left = count; left > 0; left--) fs.writeSync(pipe, line);
}

run({ cause: 'sync-io', culprit: logRequest, stop: () => reader.kill('SIGKILL') },
  () => logRequest(256));
