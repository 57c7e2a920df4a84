// A server that nobody asks anything: a loop that only waits. Truth: how often the process gave up
// its CPU by itself between `go` and the end, which is how often it was woken.
'use strict';

const http = require('http');
const { target } = require('./target.js');

const server = http.createServer((request, response) => response.end());
let before = 0;

server.listen(0, '127.0.0.1', () => {
  target({
    go: (done) => {
      before = process.resourceUsage().voluntaryContextSwitches;
      setTimeout(done, 2_000);
    },
    truth: () => ({ switches: process.resourceUsage().voluntaryContextSwitches - before }),
  });
});
