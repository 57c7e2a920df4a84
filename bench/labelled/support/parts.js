'use strict';

// Parts of which stalls are mixed, each noted under its key of the ledger.

const { spawn } = require('node:child_process');
const crypto = require('node:crypto');
const fs = require('node:fs');
const path = require('node:path');
const v8 = require('node:v8');
const vm = require('node:vm');
const truth = require('./truth');

// A gap between two looks at the clock in which the thread did not run.
const GAP_MS = 1;

// Takes some 20 us.
function step(sum) {
  let result = sum;
  for (let round = 0; round < 4000; round++) result = (result * 31 + round) % 65521;
  return result;
}

// JavaScript that computes until so much time has gone by.
function compute(ms) {
  const end = performance.now() + ms;
  let sum = 1;
  while (performance.now() < end) sum = step(sum);
  return sum;
}

function spin(ms) {
  return truth.part('javascript', () => compute(ms));
}

// The CPU time of this thread, as the kernel accounts it, exactly; of all threads where Node can't
// tell of one.
const usage = process.threadCpuUsage ?? process.cpuUsage;
function cpuMs() {
  const { user, system } = usage.call(process);
  return (user + system) / 1e3;
}

// JavaScript that computes for so long by itself, where somebody holds the thread back. That goes
// to `key`: what `meter` returns tells how much of a gap it was, given what the thread waited for a
// CPU; the rest of the gap is such a wait. In some gaps the kernel had the thread on a CPU, and
// somebody had that: how long these are is told with the stall.
function heldBack(ms, key, meter) {
  const ran = cpuMs();
  let [own, sum, last] = [0, 1, performance.now()];
  let waited = truth.waitedMs();
  const ofGap = meter();
  function look() {
    const gap = performance.now() - last;
    last += gap;
    if (gap < GAP_MS) return void (own += gap);
    const waits = truth.waitedMs() - waited;
    waited += waits;
    const held = Math.min(Math.max(ofGap(gap, waits), 0), gap);
    truth.add(key, held);
    truth.add('run_queue', gap - held);
  }
  while (own < ms) {
    sum = step(sum);
    look();
  }
  look();
  truth.steal(cpuMs() - ran - own);
  truth.add('javascript', own);
  return sum;
}

// What is collected now isn't in a stall whose parts are told apart by the clock: there, a
// collection is JavaScript.
function settle() {
  gc();
}

// A shell that does something some time after it was told to.
function helper(script) {
  const shell = spawn('sh', ['-c', script], { stdio: ['pipe', 'ignore', 'inherit'] });
  process.on('exit', () => shell.kill('SIGKILL'));
  return {
    tell: (ms) => { shell.stdin.write(`${(ms / 1000).toFixed(3)}\n`); },
    stop: () => shell.stdin.end(),
  };
}

// A file whose content comes late: a FIFO, written to by a shell.
function slowFile() {
  const folder = fs.mkdtempSync(path.join(process.env.TMPDIR ?? '/tmp', 'labelled-'));
  const name = path.join(folder, 'slow');
  spawn('mkfifo', [name]);
  const { tell, stop } = helper(`while read -r s; do sleep "$s"; echo text >'${name}'; done`);
  process.on('exit', () => fs.rmSync(folder, { recursive: true, force: true }));
  return { name, tell, stop };
}

// Runs `work` in one drain of `jobs` reactions, an equal share of `ms` in each.
function drain(jobs, ms, work = compute) {
  let end = null;
  let chain = Promise.resolve().then(() => { end = truth.begin('microtasks'); });
  for (let job = 0; job < jobs; job++) chain = chain.then(() => { work(ms / jobs); });
  chain.then(() => end());
}

const lock = new Int32Array(new SharedArrayBuffer(4));
function wait(ms) {
  truth.part('lock_wait', () => Atomics.wait(lock, 0, 0, ms));
}

v8.setFlagsFromString('--expose-gc');
const gc = vm.runInNewContext('gc');
const kept = [];

// Collections of a heap that is full of small things.
function collect(ms) {
  const end = performance.now() + ms;
  truth.part('gc', () => { do gc(); while (performance.now() < end); });
}

function fillHeap(count = 200_000) {
  for (let id = 0; id < count; id++) kept.push({ id, name: `name ${id}`, tags: [[id], [id + 1]] });
}

// Native code that looks at no clock: key derivation with as many rounds as take about so long.
let roundsInMs = 0;
function derive(rounds) {
  return crypto.pbkdf2Sync('secret', 'salt', rounds, 64, 'sha512');
}

function native(ms) {
  truth.part('native', () => derive(Math.ceil(roundsInMs * ms)));
}

function calibrate() {
  derive(1000);
  const began = performance.now();
  derive(40_000);
  roundsInMs = 40_000 / (performance.now() - began);
}

module.exports = {
  compute, spin, heldBack, settle, helper, slowFile, drain, wait, collect, fillHeap, native,
  calibrate,
};
