// title: A handler that makes records by the ten thousand, all linked, and keeps the newest.
// wrong: What is made while a request is served stays reachable for a while, so each collection has
//   all of it to mark and to move, and the loop waits for the collector.
// see: A block of 250 ms or more in buildIndex, more than half of it garbage collection. QuickJS
//   frees by counting references, but not what is linked in circles: that it must collect, too.
// args: --block-ms=250 How long the handler goes on.
// args: --keep=20000 Records that are kept.
// fixed: Keeps the links in one array of numbers, and lets the loop turn between slices.
'use strict';

const given = new Map(process.argv.slice(2).map((arg) => arg.split('=')));
const blockMs = Number(given.get('--block-ms') ?? 250);
const keep = Number(given.get('--keep') ?? 20000);

// The time until the loop comes to its next immediate is a block if it is 50 ms or more.
const blocks = [];
function measure() {
  const began = performance.now();
  setImmediate(() => {
    const ms = performance.now() - began;
    if (ms >= 50) blocks.push(+ms.toFixed(1));
  });
}

function buildIndex() {
  const end = performance.now() + blockMs;
  const index = [];
  let previous = null;
  let id = 0;
  while (performance.now() < end) {
    for (let i = 0; i < 1000; i++, id++) {
      const record = { id, previous, next: null, tags: [[[[[[[[[id]]]]]]]]] };
      if (previous !== null) previous.next = record;
      index[id % keep] = record;
      previous = i === 999 ? null : record; // Chains of a thousand, linked both ways.
    }
  }
  return id;
}

let records = 0;
setTimeout(() => {
  measure();
  records = buildIndex();
}, 1);

process.on('exit', () => {
  console.log(JSON.stringify({ seen: { records } }));
  console.log(JSON.stringify({ truth: {
    workload: 'gc-pressure', fixed: false, cause: 'gc-pressure',
    function: 'buildIndex', blocks_ms: blocks, longest_drain: 0,
  } }));
});
