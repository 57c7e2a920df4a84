// What all targets share: one prints `ready`, begins at the line `go`, prints `done` when its work
// is over, and at the line `end`, or when nobody holds its input any more, tells its truth as JSON.
'use strict';

const now = () => Number(process.hrtime.bigint());

// Holds the thread for so long, and tells for how many nanoseconds it really did.
function busy(ms) {
  const start = now();
  let end = start;
  while (end - start < ms * 1e6) end = now();
  return end - start;
}

// `go(done)` begins the work and calls `done` when it is over; `truth()` gives what to tell;
// `mark()` is called at the line `mark`.
function target({ go, truth, mark = () => {} }) {
  const finish = () => {
    console.log(JSON.stringify(truth()));
    process.exit(0);
  };
  let rest = '';
  process.stdin.setEncoding('utf8');
  process.stdin.on('data', (text) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop();
    if (lines.includes('go')) go(() => console.log('done'));
    if (lines.includes('mark')) mark();
    if (lines.includes('end')) finish();
  });
  process.stdin.on('end', finish);
  console.log('ready');
}

// Makes `promises` promises with two `then`s each: a drain of twice as many microtasks. Its length
// and the time from its first job to its last go into `into`.
function drainOfPromises(promises, into) {
  const jobs = 2 * promises;
  let ran = 0;
  let first = 0;
  const job = () => {
    ran += 1;
    if (ran === 1) first = now();
    if (ran === jobs) into.push({ length: jobs, ns: now() - first });
  };
  for (let i = 0; i < promises; i += 1) Promise.resolve().then(job).then(job);
}

// The same of `queueMicrotask`.
function drainOfMicrotasks(jobs, into) {
  let ran = 0;
  let first = 0;
  const job = () => {
    ran += 1;
    if (ran === 1) first = now();
    if (ran === jobs) into.push({ length: jobs, ns: now() - first });
  };
  for (let i = 0; i < jobs; i += 1) queueMicrotask(job);
}

module.exports = { now, busy, target, drainOfPromises, drainOfMicrotasks };
