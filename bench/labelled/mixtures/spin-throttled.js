// wrong: A handler computes in a container whose CPU quota is 40 % of one CPU.
// see: In each period of 100 ms, 40 ms of javascript and 60 ms throttled. Needs root.
'use strict';

const { quota } = require('../support/cgroup');
const { run } = require('../support/truth');
const { heldBack } = require('../support/parts');

const group = quota(40_000);
group.enter();

function handleRequest() {
  heldBack(120, 'throttled', group.meter);
}

run({ cause: null, pauseMs: 500, rest: 'throttled' }, handleRequest);
