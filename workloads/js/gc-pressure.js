// title: A handler that makes records by the ten thousand, all linked, and keeps them for a while.
// wrong: What is made while a request is served stays reachable for a while, so each collection has
//   all of it to mark and to move, and the loop waits for the collector.
// see: A block of 250 ms or more in buildIndex, more than half of it garbage collection. QuickJS
//   frees by counting references, but must collect what is linked in circles, too.
// args: --block-ms=250 How long the handler goes on.
// args: --keep-ms=50 How long each record is kept.
// fixed: Keeps the links in one array of numbers, and lets the loop turn between slices.
'use strict';

const { performance } = require('perf_hooks');
const given = new Map(process.argv.slice(2).map((arg) => arg.split('=')));
const blockMs = Number(given.get('--block-ms') ?? 250);
const keepMs = Number(given.get('--keep-ms') ?? 50);

// The time until the loop comes to its next immediate is a block if it is 50 ms or more.
const blocks = [];
function measure() {
  const began = performance.now();
  setImmediate(() => {
    const ms = performance.now() - began;
    if (ms >= 50) blocks.push(+ms.toFixed(1));
  });
}

// An instance: V8 makes literals old at once where they are seen to live long.
class Record {
  constructor(id, previous) {
    this.id = id;
    this.previous = previous;
    this.next = null;
    if (previous !== null) previous.next = this;
  }
}

let records = 0;
function buildIndex() {
  const end = performance.now() + blockMs;
  const index = [];
  for (let now = 0; now < end; now = performance.now()) {
    while (index.length > 0 && index[0].until < now) index.shift();
    let last = null; // Chains of a thousand, linked both ways.
    for (let i = 0; i < 1000; i++, records++) last = new Record(records, last);
    index.push({ until: now + keepMs, last });
  }
}

setImmediate(setTimeout, () => {
  measure();
  buildIndex();
}, 1);

process.on('exit', () => {
  console.log(JSON.stringify({ seen: { records } }));
  console.log(JSON.stringify({ truth: {
    workload: 'gc-pressure', fixed: false, cause: 'gc-pressure',
    function: 'buildIndex', blocks_ms: blocks, longest_drain: 0,
  } }));
});
