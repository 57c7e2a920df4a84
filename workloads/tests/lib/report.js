'use strict';
// Counts the cases of one test file, prints those that differ, and the seed of the random ones.

const SHOWN = 10;
const seed = Number(process.argv[2] ?? Date.now() % 1e9);
let state = seed;
let cases = 0;
let differences = 0;

// A number from 0 up to `below`, by a linear congruence, so that a seed repeats a run.
function random(below) {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return Math.floor(state / 2 ** 32 * below);
}

function check(name, got, wanted) {
  cases++;
  if (got === wanted) return;
  differences++;
  if (differences > SHOWN) return;
  console.log(`DIFFERS: ${name}\n--- ours\n${got}\n--- Node's\n${wanted}`);
}

function finish(name) {
  console.log(`${name}: ${cases} cases, ${differences} differ (seed ${seed})`);
  process.exitCode = differences === 0 ? 0 : 1;
}

module.exports = { check, finish, random };
