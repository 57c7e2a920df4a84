// title: Each request listens to one AbortSignal and never stops listening.
// wrong: A signal that lives as long as the process keeps the listeners of all requests, those that
//   were answered, too, and abort() calls all of them in one go before it returns.
// see: Node's warning at the eleventh listener, 1,000 listeners called for requests that were
//   answered long ago, and a block of 200 ms or more in cancel.
// args: --count=1000 Requests, 100 a turn.
// args: --work-us=200 Busy work in each listener.
// fixed: Takes its listener off the signal as soon as the request is answered.
'use strict';

const { performance } = require('perf_hooks');
const given = new Map(process.argv.slice(2).map((arg) => arg.split('=')));
const count = Number(given.get('--count') ?? 1000);
const workUs = Number(given.get('--work-us') ?? 200);
const slice = 100;

// The time until the loop comes to its next immediate is a block if it is 50 ms or more.
const blocks = [];
function measure() {
  const began = performance.now();
  setImmediate(() => {
    const ms = performance.now() - began;
    if (ms >= 50) blocks.push(+ms.toFixed(1));
  });
}

const controller = new AbortController();
const answer = Promise.resolve('answer');

let [answered, cancelled] = [0, 0];
function cancel() {
  const end = performance.now() + workUs / 1000;
  while (performance.now() < end);
  cancelled++;
}

async function handleRequest(signal) {
  if (signal.aborted) return;
  signal.addEventListener('abort', () => cancel());
  await answer;
  answered++;
}

function serve(first) {
  measure();
  const last = Math.min(first + slice, count);
  for (let i = first; i < last; i++) handleRequest(controller.signal);
  if (last < count) setImmediate(serve, last);
  else setImmediate(() => { measure(); controller.abort(); });
}
setTimeout(serve, 1, 0);

process.on('exit', () => {
  console.log(JSON.stringify({ seen: { answered, cancelled_though_answered: cancelled } }));
  console.log(JSON.stringify({ truth: {
    workload: 'promises/abort-signal', fixed: false, cause: 'cpu-bound-callback',
    function: 'cancel', blocks_ms: blocks, longest_drain: Math.min(slice, count),
  } }));
});
