// Immediates: 2,000 turns of the loop, each with one that queues the next, and a microtask in
// each. Truth: how many ran.
'use strict';

const { target } = require('./target.js');

const TURNS = 2_000;
let ran = 0;

target({
  go(done) {
    const next = () => {
      ran += 1;
      queueMicrotask(() => {});
      if (ran < TURNS) setImmediate(next);
      // On a busy machine the first may be due before it is waited for.
      else setTimeout(() => setTimeout(done, 20), 20);
    };
    setImmediate(next);
  },
  truth: () => ({ immediates: ran, microtasks: ran }),
});
