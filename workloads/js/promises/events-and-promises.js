// title: A consumer that waits for the next event by a promise for each.
// wrong: A promise settles once. Events that are emitted before its await goes on find no listener
//   and are lost, and behind the last one the consumer waits for ever: that does not keep the loop
//   alive, so Node ends with status 0 and work undone.
// see: One event handled of each burst of 100, 990 of 1,000 lost, the consumer still waiting at
//   exit.
// args: --bursts=10 Bursts of events.
// args: --size=100 Events that each emits in one go.
// fixed: Keeps one listener that fills a queue; the promise only says that there is something in
//   it.
'use strict';

const { EventEmitter } = require('events');
const given = new Map(process.argv.slice(2).map((arg) => arg.split('=')));
const bursts = Number(given.get('--bursts') ?? 10);
const size = Number(given.get('--size') ?? 100);

const feed = new EventEmitter();
const nextItem = () => new Promise((resolve) => feed.once('item', resolve));

let [emitted, handled, isWaiting] = [0, 0, false];
async function consume() {
  for (;;) {
    isWaiting = true;
    await nextItem();
    isWaiting = false;
    handled++;
  }
}
consume();

function burst(left) {
  for (let i = 0; i < size; i++) feed.emit('item', emitted++);
  if (left > 1) setTimeout(burst, 1, left - 1);
}
setTimeout(burst, 1, bursts);

process.on('exit', () => {
  console.log(JSON.stringify({ seen: { emitted, handled, is_waiting: isWaiting } }));
  console.log(JSON.stringify({ truth: {
    workload: 'promises/events-and-promises', fixed: false, cause: 'healthy',
    function: null, blocks_ms: [], longest_drain: 1,
  } }));
});
