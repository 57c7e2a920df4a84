// title: The same messages, taken at once and worked on in slices.
// fixed: Takes the messages when they come and works on them in slices of 2 ms.
// see: No block: a message waits in a queue, and the loop turns.
// args: --count=100 Connections, at least 1; each takes two descriptors.
// args: --work-us=2000 Busy work for what each client sends.
'use strict';

const net = require('net');
const { performance } = require('perf_hooks');
const given = new Map(process.argv.slice(2).map((arg) => arg.split('=')));
const count = Number(given.get('--count') ?? 100);
const workUs = Number(given.get('--work-us') ?? 2000);

// The time until the loop comes to its next immediate is a block if it is 50 ms or more.
const blocks = [];
function measure() {
  const began = performance.now();
  setImmediate(() => {
    const ms = performance.now() - began;
    if (ms >= 50) blocks.push(+ms.toFixed(1));
  });
}

const waiting = [];
function handleNext() {
  measure();
  const end = performance.now() + workUs / 1000;
  while (performance.now() < end);
  waiting.shift().end();
  if (waiting.length > 0) setImmediate(handleNext);
}

let closed = 0;
const clients = [];
const server = net.createServer((socket) => {
  socket.once('data', () => {
    if (waiting.push(socket) === 1) setImmediate(handleNext);
  });
  socket.on('close', () => { if (++closed === count) server.close(); });
}).listen(0, '127.0.0.1', () => {
  for (let i = 0; i < count; i++) {
    const client = net.connect(server.address().port, '127.0.0.1', () => {
      clients.push(client);
      if (clients.length === count) setTimeout(() => clients.forEach((c) => c.end('work')), 20);
    });
    client.resume();
  }
});

process.on('exit', () => {
  console.log(JSON.stringify({ truth: {
    workload: 'poll-flood', fixed: true, cause: 'healthy',
    function: null, blocks_ms: blocks, longest_drain: 0,
  } }));
});
