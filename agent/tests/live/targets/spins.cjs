'use strict';

// Computes for ever in functions that are soon compiled for speed, some of them one into another.
let sink = 0;

function inner(n) {
  let sum = 0;
  for (let i = 0; i < n; i++) {
    sum = (sum + i * 7) % 1000003;
  }
  return sum;
}

function middle(n) {
  return inner(n) + 1;
}

function outer(n) {
  let sum = 0;
  for (let i = 0; i < 50; i++) {
    sum += middle(n);
  }
  return sum;
}

function inlined() {
  for (;;) {
    sink += outer(2000);
  }
}

const text = JSON.stringify(Array.from({ length: 10_000 }, (_, i) => ({ i, name: `k${i}` })));

function parses() {
  for (;;) {
    sink += JSON.parse(text).length;
  }
}

function matches() {
  for (;;) {
    sink += /^(a+)+$/u.test('aaaaaaaaaaaaaaaaaaaaaaaaaaaaab') ? 1 : 0;
  }
}

function derives() {
  const { pbkdf2Sync } = require('node:crypto');
  for (;;) {
    sink += pbkdf2Sync('a', 'b', 100_000, 64, 'sha512').length;
  }
}

function sorts() {
  const words = text.split(',');
  for (;;) {
    sink += words.slice().sort(function byText(a, b) { return a < b ? 1 : -1; }).length;
  }
}

const cases = { inlined, parses, matches, derives, sorts };
cases[process.argv[2]]();
