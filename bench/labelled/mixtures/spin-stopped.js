// wrong: While a handler computes, somebody sends SIGSTOP, and SIGCONT 100 ms later.
// see: frozen for as long as it was stopped, and javascript before and behind it.
'use strict';

const { run } = require('../support/truth');
const { heldBack, helper } = require('../support/parts');

const other = helper(`while read -r s; do sleep 0.05
  kill -STOP ${process.pid}; sleep "$s"; kill -CONT ${process.pid}; done`);

function handleRequest() {
  other.tell(100);
  heldBack(150, 'frozen', () => (gap, waited) => gap - waited);
}

run({ cause: null, stop: other.stop }, handleRequest);
