// title: The same consumer, with a queue between the events and its promise.
// fixed: Keeps one listener that fills a queue; the promise only says that there is something in
//   it.
// see: All 1,000 events handled, and a consumer that has ended.
// args: --bursts=10 Bursts of events.
// args: --size=100 Events that each emits in one go.
'use strict';

const { EventEmitter } = require('events');
const given = new Map(process.argv.slice(2).map((arg) => arg.split('=')));
const bursts = Number(given.get('--bursts') ?? 10);
const size = Number(given.get('--size') ?? 100);

const feed = new EventEmitter();
const queue = [];
let hasEnded = false;
let wake = () => {};
feed.on('item', (item) => { queue.push(item); wake(); });
feed.on('end', () => { hasEnded = true; wake(); });

let [emitted, handled, isWaiting] = [0, 0, true];
async function consume() {
  for (;;) {
    for (; queue.length > 0; handled++) queue.shift();
    if (hasEnded) break;
    await new Promise((resolve) => { wake = resolve; });
  }
  isWaiting = false;
}
consume();

function burst(left) {
  for (let i = 0; i < size; i++) feed.emit('item', emitted++);
  if (left > 1) setTimeout(burst, 1, left - 1);
  else feed.emit('end');
}
setTimeout(burst, 1, bursts);

process.on('exit', () => {
  console.log(JSON.stringify({ seen: { emitted, handled, is_waiting: isWaiting } }));
  console.log(JSON.stringify({ truth: {
    workload: 'promises/events-and-promises', fixed: true, cause: 'healthy',
    function: null, blocks_ms: [], longest_drain: 1,
  } }));
});
