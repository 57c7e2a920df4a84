// title: A handler that makes half a million short-lived records, all linked, and keeps them.
// wrong: Everything that is made while a request is served stays reachable until it ends, so each
//   collection has all of it to mark and to move, and the loop waits for the collector.
// see: A block of 250 ms or more in buildIndex, most of it garbage collection.
// args: --block-ms=250 How long the handler goes on.
// fixed: Keeps numbers in arrays that are used again, and lets the loop turn between slices.
'use strict';

const given = new Map(process.argv.slice(2).map((arg) => arg.split('=')));
const blockMs = Number(given.get('--block-ms') ?? 250);

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
  const index = new Map();
  let previous = null;
  for (let id = 0; performance.now() < end; id++) {
    const record = { id, previous, next: null, tags: [{ id }, { id }], name: `record ${id}` };
    if (previous !== null) previous.next = record;
    index.set(id % 400000, record);
    previous = id % 100 === 0 ? null : record;
  }
  return index.size;
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
