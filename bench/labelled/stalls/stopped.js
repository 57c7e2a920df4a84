// wrong: Somebody stops the process for 300 ms while it works, as a debugger or a job control does.
// see: Stalls of 300 ms and more, frozen.
'use strict';

const { run } = require('../support/truth');
const { heldBack, settle, helper } = require('../support/parts');

const other = helper(`while read -r s; do sleep 0.01
  kill -STOP ${process.pid}; sleep "$s"; kill -CONT ${process.pid}; done`);

settle();

function handleRequest() {
  other.tell(300);
  heldBack(40, 'frozen', () => (gap, waited) => gap - waited);
}

run({ cause: 'frozen', stop: other.stop }, handleRequest);
