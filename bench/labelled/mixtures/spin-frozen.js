// wrong: While a handler computes, its control group is frozen for 100 ms, as `docker pause` does.
// see: frozen for as long as it was, and javascript before and behind it. Needs root.
'use strict';

const { freezer } = require('../support/cgroup');
const { run } = require('../support/truth');
const { heldBack, helper } = require('../support/parts');

const group = freezer();
const other = helper(`while read -r s; do sleep 0.05
  ${group.freeze}; sleep "$s"; ${group.thaw}; done`);
setTimeout(group.enter, 200); // The shell is to stay outside.

function handleRequest() {
  other.tell(100);
  heldBack(150, 'frozen', () => (gap, waited) => gap - waited);
}

run({ cause: null, stop: other.stop }, handleRequest);
