// Holds its loop for 150 ms in functions of many kinds, each twice, with rests between. Truth: in
// which order, the function's name, its lines, and what it held the loop up with.
'use strict';

const crypto = require('crypto');
const fs = require('fs');
const { execFileSync, spawn } = require('child_process');
const { now, target } = require('./target.js');

const MS = 150;
const TIMES = 2;
const lock = new Int32Array(new SharedArrayBuffer(4));
const pipe = `/tmp/loopscope-culprits-${process.pid}`;

function until(ms) {
  const end = Date.now() + ms;
  let sum = 0;
  while (Date.now() < end) for (let i = 0; i < 1000; i += 1) sum += Math.sqrt(i);
  return sum;
}

function computePrices() {
  const end = Date.now() + MS;
  let sum = 0;
  while (Date.now() < end) for (let i = 0; i < 1000; i += 1) sum += Math.sqrt(i);
  return sum;
}

function waitForLock() {
  Atomics.wait(lock, 0, 0, MS);
}

function loadConfig() {
  spawn('sh', ['-c', `sleep 0.${MS}; : > ${pipe}`]);
  return fs.readFileSync(pipe, 'utf8');
}

function convertImage() {
  execFileSync('sleep', [`0.${MS}`]);
}

function hashPassword() {
  const end = Date.now() + MS;
  while (Date.now() < end) crypto.pbkdf2Sync('secret', 'salt', 20000, 64, 'sha512');
}

async function handleRequest() {
  await null;
  const end = Date.now() + MS;
  while (Date.now() < end) Math.sqrt(end);
}

class Template {
  render() {
    const end = Date.now() + MS;
    while (Date.now() < end) Math.sqrt(end);
  }
}

const sumOfRoots = () => {
  const end = Date.now() + MS;
  while (Date.now() < end) Math.sqrt(end);
};

// Who is called by a name and does nothing itself is not to blame; nor is who is called by it.
function parseReport() {
  [1].forEach(() => until(MS));
}

const ways = [
  [computePrices, 'javascript'], [waitForLock, 'lock_wait'], [loadConfig, 'sync_io'],
  [convertImage, 'sync_io'], [hashPassword, 'native'], [handleRequest, 'microtasks'],
  [() => new Template().render(), 'javascript', 'render', Template], [sumOfRoots, 'javascript'],
  [parseReport, 'javascript', 'until', until],
];
const source = fs.readFileSync(__filename, 'utf8');

// The lines where a function's text stands.
function lines(text) {
  const first = source.slice(0, source.indexOf(text)).split('\n').length;
  return [first, first + text.split('\n').length - 1];
}

const stalls = [];
function next(done) {
  if (stalls.length === TIMES * ways.length) {
    fs.unlinkSync(pipe);
    done();
    return;
  }
  const [way, key, name, text] = ways[stalls.length % ways.length];
  const start = now();
  way();
  setImmediate(() => {
    const stall = { start_ns: start, key, function: name ?? way.name };
    stalls.push({ ...stall, lines: lines(String(text ?? way)), duration_ns: now() - start });
    setTimeout(next, 67, done);
  });
}

target({
  go(done) {
    execFileSync('mkfifo', [pipe]);
    setTimeout(next, 100, done);
  },
  truth: () => ({ stalls }),
});
