// title: A hundred sockets ready in one poll, each with a little work.
// wrong: All clients send at once, as after an outage. The poll takes every socket that is ready
//   before the loop goes on to its immediates and timers: each callback is short, and the turn is
//   long.
// see: One block of about 200 ms in the poll phase, in a function named handleMessage.
// args: --count=100 Connections, at least 1; each takes two descriptors.
// args: --work-us=2000 Busy work for what each client sends.
// fixed: Takes the messages when they come and works on them in slices of 2 ms.
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

let inTurn = 0;
function handleMessage() {
  if (inTurn++ === 0) {
    measure();
    setImmediate(() => { inTurn = 0; });
  }
  const end = performance.now() + workUs / 1000;
  while (performance.now() < end);
}

let closed = 0;
const clients = [];
const server = net.createServer((socket) => {
  socket.once('data', () => { handleMessage(); socket.end(); });
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
    workload: 'poll-flood', fixed: false, cause: 'poll-flood',
    function: 'handleMessage', blocks_ms: blocks, longest_drain: 0,
  } }));
});
