// shows: A file of 100,000 lines that is read line by line, with a stream.
// see: healthy; each chunk of 64 KiB is a turn.
'use strict';

const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const readline = require('node:readline');
const { noStalls } = require('../support/truth');

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'labelled-'));
const file = path.join(folder, 'log');
fs.writeFileSync(file, 'a line of the log, some words long\n'.repeat(100_000));
process.on('exit', () => fs.rmSync(folder, { recursive: true }));

function read(left) {
  let lines = 0;
  const reader = readline.createInterface({ input: fs.createReadStream(file) });
  reader.on('line', (line) => { lines += line.length; });
  reader.on('close', () => { if (left > 1) setTimeout(read, 100, left - 1); });
}

noStalls('healthy', () => read(8));
