// title: A pattern that tries all ways to split a text before it says no.
// wrong: In /^(a+)+$/ both plus signs can take the same letters. A text of n letters a and another
//   one behind them is split in 2^n ways: each letter more takes twice as long, and nothing can
//   interrupt it.
// see: A block of 100 ms or more in validate, with a text of fewer than 40 letters.
// args: --block-ms=100 The shortest time of the last match; the texts grow until it is reached.
// fixed: Uses a pattern with one way to match: /^a+$/.
'use strict';

const { performance } = require('perf_hooks');
const given = new Map(process.argv.slice(2).map((arg) => arg.split('=')));
const blockMs = Number(given.get('--block-ms') ?? 100);

// The time until the loop comes to its next immediate is a block if it is 50 ms or more.
const blocks = [];
function measure() {
  const began = performance.now();
  setImmediate(() => {
    const ms = performance.now() - began;
    if (ms >= 50) blocks.push(+ms.toFixed(1));
  });
}

function validate(text) {
  return /^(a+)+$/.test(text);
}

let letters = 15;
function handleRequest() {
  measure();
  const began = performance.now();
  validate(`${'a'.repeat(letters)}!`);
  if (performance.now() - began < blockMs) {
    letters++;
    setTimeout(handleRequest, 1);
  }
}

setImmediate(setTimeout, handleRequest, 1);

process.on('exit', () => {
  console.log(JSON.stringify({ seen: { letters } }));
  console.log(JSON.stringify({ truth: {
    workload: 'regex-backtracking', fixed: false, cause: 'cpu-bound-callback',
    function: 'validate', blocks_ms: blocks, longest_drain: 0,
  } }));
});
