// title: The same check by a pattern that has one way to match.
// fixed: Uses a pattern with one way to match: /^a+$/.
// see: No block, however long the text.
// args: --letters=40000 Letters of the text, a thousand times as many.
'use strict';

const { performance } = require('perf_hooks');
const given = new Map(process.argv.slice(2).map((arg) => arg.split('=')));
const letters = Number(given.get('--letters') ?? 40000);

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
  return /^a+$/.test(text);
}

function handleRequest() {
  measure();
  validate(`${'a'.repeat(letters)}!`);
}

setImmediate(setTimeout, handleRequest, 1);

process.on('exit', () => {
  console.log(JSON.stringify({ seen: { letters } }));
  console.log(JSON.stringify({ truth: {
    workload: 'regex-backtracking', fixed: true, cause: 'healthy',
    function: null, blocks_ms: blocks, longest_drain: 0,
  } }));
});
