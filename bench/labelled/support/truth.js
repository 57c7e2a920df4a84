'use strict';

// Runs a stall some times, with pauses, measures each, and prints the truth as JSON at exit.
//
//   node stalls/json-parse.js            begins 1.2 s after its start
//   node stalls/json-parse.js --wait     prints a line, and begins when one comes on stdin
//   node stalls/json-parse.js --times=2  so many stalls
//
// A stall is measured from the begin of the callback that makes it to its end, or to the end of its
// last part. What the thread waited for a CPU meanwhile is told by the kernel: `run_queue` of the
// ledger, where a part does not tell more exactly.

const fs = require('node:fs');
const { performance } = require('node:perf_hooks');

const given = new Map(process.argv.slice(2).map((arg) => arg.split('=')));
const START_MS = 1200;

const stalls = [];
let open = null;

// Of the main thread, as this is. The file is open once, so that a reading takes some us.
const schedstat = fs.openSync('/proc/self/schedstat', 'r');
const text = Buffer.alloc(128);
function waitedMs() {
  const length = fs.readSync(schedstat, text, 0, text.length, 0);
  return Number(text.toString('latin1', 0, length).split(' ')[1]) / 1e6;
}

// The time, and what was waited until then. In this order: a thread loses its CPU when a system
// call returns, and what it waits then is to be in neither or in both.
function clocks() {
  const at = performance.now();
  return { at, waited: waitedMs() };
}

function add(key, ms) {
  if (open !== null) open.parts[key] = (open.parts[key] ?? 0) + ms;
}

// Notes what somebody may have taken of the stall while the kernel had the thread on a CPU.
function steal(ms) {
  if (open !== null) open.stolen += Math.max(ms, 0);
}

// Notes the time from now to the call of what it returns, under a key of the ledger. What lies
// within it and is told by a key of its own is not in it.
function begin(key) {
  const inner = sum();
  const from = clocks();
  return () => {
    mark();
    const late = open.end.waited - from.waited;
    add(key, open.end.at - from.at - late - (sum() - inner));
  };
}

// Of all keys but `run_queue`, which is told by `late`.
function sum() {
  const { run_queue: _, ...parts } = open?.parts ?? {};
  return Object.values(parts).reduce((all, ms) => all + ms, 0);
}

function part(key, work) {
  const end = begin(key);
  const result = work();
  end();
  return result;
}

// Where a function stands, by its text: file and lines.
function place(culprit, file) {
  if (!culprit) return { function: null, file: null, lines: null };
  const source = fs.readFileSync(file, 'utf8');
  const body = culprit.toString();
  const at = source.indexOf(body);
  const first = source.slice(0, at).split('\n').length;
  const lines = at < 0 ? null : [first, first + body.split('\n').length - 1];
  return { function: culprit.name, file, lines };
}

// Notes that the stall is not over before now.
function mark() {
  open.end = clocks();
}

function measure(stall, { key, rest }, done) {
  open = { parts: {}, stolen: 0 };
  const began = clocks();
  const startUnixMs = performance.timeOrigin + began.at;
  stall();
  mark();
  // By then its microtasks have run, too.
  setImmediate(() => {
    const { parts, stolen, end } = open;
    const ms = end.at - began.at;
    const late = end.waited - began.waited;
    open = null;
    if (key) parts[key] = ms - late;
    if (Object.keys(parts).length > 0) parts.run_queue ??= late;
    if (rest) parts[rest] += ms - Object.values(parts).reduce((all, part) => all + part, 0);
    stalls.push({
      start_unix_ms: startUnixMs, duration_ms: ms, run_delay_ms: late, stolen_ms: stolen, parts,
    });
    done();
  });
}

// `cause` is what the diagnosis must be, `culprit` the function at fault; `key` the ledger's key
// for all of a stall, where it is one; `rest` is that for what lies between its parts, where the
// thread may be held back there, too. `stop` is called behind the last one.
function run({ cause, culprit = null, times = 4, pauseMs = 250, stop, ...keys }, stall) {
  let left = Number(given.get('--times') ?? times);
  // What is loaded by the first use, and what a CPU has forgotten in a pause, takes its time before
  // the begin and behind the end of what is measured: a turn without a stall has it.
  function warm(then) {
    measure(() => {}, {}, () => { stalls.pop(); then(); });
  }
  function next() {
    if (left-- <= 0) return stop?.();
    setTimeout(() => warm(() => setTimeout(() => measure(stall, keys, next), 2)), pauseMs);
  }
  start(() => warm(next));
  atExit(cause, culprit);
}

function start(begin) {
  if (!given.has('--wait')) return void setTimeout(begin, START_MS);
  setTimeout(() => fs.writeSync(1, '{"ready":true}\n'), 300);
  process.stdin.once('data', () => { process.stdin.destroy(); setTimeout(begin, 100); });
}

function atExit(cause, culprit) {
  const round = (ms) => +ms.toFixed(3);
  process.on('exit', () => {
    const at = place(culprit, process.argv[1]);
    const told = stalls.map(({ parts, ...of }) => ({
      start_unix_ms: round(of.start_unix_ms),
      duration_ms: round(of.duration_ms),
      run_delay_ms: round(of.run_delay_ms),
      stolen_ms: round(of.stolen_ms),
      cause,
      ...at,
      ledger_ms: Object.fromEntries(Object.entries(parts).map(([key, ms]) => [key, round(ms)])),
    }));
    const run_delay_ms = round(waitedMs());
    fs.writeSync(1, `${JSON.stringify({ truth: { cause, ...at, run_delay_ms, stalls: told } })}\n`);
  });
}

// For programs without a stall: begins, and tells the truth at exit.
function noStalls(cause, program) {
  start(program);
  atExit(cause, null);
}

module.exports = { run, noStalls, part, begin, add, steal, waitedMs };
