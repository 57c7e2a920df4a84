// wrong: A callback takes 30 ms of a CPU, in a container that gets 10 ms of one each 100 ms.
// see: Stalls of 200 ms and more, cpu-starved: most of each is throttled. Needs root.
'use strict';

const { quota } = require('../support/cgroup');
const { run } = require('../support/truth');
const { heldBack, settle } = require('../support/parts');

const group = quota(10_000);
settle();
group.enter();

function handleRequest() {
  heldBack(30, 'throttled', group.meter);
}

run({ cause: 'cpu-starved', pauseMs: 600, rest: 'throttled' }, handleRequest);
