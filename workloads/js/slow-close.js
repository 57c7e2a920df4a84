// title: A hundred sockets closed at once, whose close callbacks each work for 2 ms.
// wrong: A service lets go of all its clients at once, and each close callback tidies up. They run
//   in the close phase of one turn, one after the other.
// see: One block of 200 ms or more in the close phase, in a function named tidyUp.
// args: --count=100 Sockets, at least 1; each takes two descriptors.
// args: --work-us=2000 Busy work in each close callback.
// fixed: Closes one socket a turn, the next from an immediate.
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
  measure(); // Its immediate waits for the check phase of the next turn, behind all closes.
  for (const client of clients) client.destroy();
  server.close();
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
    workload: 'slow-close', fixed: false, cause: 'cpu-bound-callback',
    function: 'tidyUp', blocks_ms: blocks, longest_drain: 0,
  } }));
});
