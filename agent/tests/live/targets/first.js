// Waits, and holds its loop for 300 ms as the first thing that it does: no poll is between. Truth:
// for how long.
'use strict';

const { now, target } = require('./target.js');

const MS = 300;
let lasted = 0;

function firstOfAll() {
  const start = now();
  const end = Date.now() + MS;
  let sum = 0;
  while (Date.now() < end) for (let i = 0; i < 1000; i += 1) sum += Math.sqrt(i);
  lasted = now() - start;
  return sum;
}

target({
  go(done) {
    firstOfAll();
    setTimeout(done, 50);
  },
  truth: () => ({ duration_ns: lasted }),
});
