// A service under load: an HTTP server whose handler awaits and makes a little JSON, with a timer
// of 10 ms and two workers with timers and promises of their own beside it. It prints its port
// before `ready`. Truth: the requests that it answered.
'use strict';

const http = require('http');
const { Worker, isMainThread } = require('worker_threads');
const { target } = require('./target.js');

const WORKERS = process.argv.includes('--no-workers') ? 0 : 2;
let answered = 0;

async function work() {
  const parts = await Promise.all([1, 2, 3].map(async (i) => ({ i })));
  return JSON.stringify(parts);
}

async function answer(request, response) {
  const body = await work();
  answered += 1;
  response.setHeader('Content-Type', 'application/json');
  response.end(body);
}

function main() {
  const server = http.createServer(answer);
  setInterval(work, 10);
  for (let i = 0; i < WORKERS; i += 1) new Worker(__filename);
  server.listen(0, '127.0.0.1', () => {
    console.log(`port ${server.address().port}`);
    target({ go: (done) => done(), truth: () => ({ answered }) });
  });
}

if (isMainThread) main();
else setInterval(work, 5);
