// title: The same sockets, closed one a turn.
// fixed: Closes one socket a turn, the next from an immediate.
// see: No block: each turn's close phase runs one callback of 2 ms.
// args: --count=100 Sockets, at least 1; each takes two descriptors.
// args: --work-us=2000 Busy work in each close callback.
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

function tidyUp() {
  const end = performance.now() + workUs / 1000;
  while (performance.now() < end);
}

const clients = [];
function letGo() {
  measure();
  clients.pop().destroy();
  if (clients.length > 0) setImmediate(letGo);
  else server.close();
}

const server = net.createServer((socket) => socket.resume().on('error', () => {}));
server.listen(0, '127.0.0.1', () => {
  for (let i = 0; i < count; i++) {
    const client = net.connect(server.address().port, '127.0.0.1', () => {
      clients.push(client);
      if (clients.length === count) setImmediate(letGo);
    });
    client.on('close', tidyUp);
  }
});

process.on('exit', () => {
  console.log(JSON.stringify({ truth: {
    workload: 'slow-close', fixed: true, cause: 'healthy',
    function: null, blocks_ms: blocks, longest_drain: 0,
  } }));
});
