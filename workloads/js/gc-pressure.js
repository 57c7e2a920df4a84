// title: A handler that makes records by the ten thousand, all linked, and keeps them.
// wrong: What is made while a request is served stays reachable, so each collection has all that is
//   new to move and all of it to mark, and the loop waits for the collector.
// see: A block of 250 ms or more in Record, more than half of it garbage collection. QuickJS frees
//   by counting references, but must collect circles, too; V8 makes literals that live long old
//   at once, but not instances of classes.
// args: --block-ms=250 How long the handler goes on.
// args: --keep=5000000 Records that are kept at most.
// fixed: Keeps the links in one array of numbers, and lets the loop turn between slices.
'use strict';

const given = new Map(process.argv.slice(2).map((arg) => arg.split('=')));
const blockMs = Number(given.get('--block-ms') ?? 250);
const keep = Number(given.get('--keep') ?? 5_000_000);

// The time until the loop comes to its next immediate is a block if it is 50 ms or more.
const blocks = [];
function measure() {
  const began = performance.now();
  setImmediate(() => {
    const ms = performance.now() - began;
    if (ms >= 50) blocks.push(+ms.toFixed(1));
  });
}

class Record {
  constructor(id, previous) {
    this.id = id;
    this.previous = previous;
    this.next = null;
    if (previous !== null) previous.next = this;
  }
}

function buildIndex() {
  const end = performance.now() + blockMs;
  const index = [];
  let id = 0;
  while (performance.now() < end) {
    let record = null; // Chains of a thousand, linked both ways.
    for (let i = 0; i < 1000; i++, id++) {
      index[id % keep] = record = new Record(id, record);
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
    function: 'Record', blocks_ms: blocks, longest_drain: 0,
  } }));
});
