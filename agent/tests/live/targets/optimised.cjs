'use strict';

// Waits in functions that were compiled for speed before, some of them one into another.
const waiting = require('./wait.cjs');
const { ready, wait } = waiting;

function hot(n) {
  let sum = 0;
  for (let i = 0; i < n; i++) sum += i % 7;
  wait();
  return sum;
}

function inner(n) {
  wait();
  return n * 2;
}

function middle(n) {
  const twice = inner(n) + 1;
  return twice;
}

function outer(n) {
  let sum = 0;
  for (let i = 0; i < n; i++) {
    sum += middle(i);
  }
  return sum;
}

const cases = { hot, inlined: outer };

const run = cases[process.argv[2]];
for (let i = 0; i < 20_000; i++) run(10);
// Compilers work beside; what they have made is used when they are ready.
setTimeout(() => {
  for (let i = 0; i < 20_000; i++) run(10);
  ready();
  run(10);
}, 100);
