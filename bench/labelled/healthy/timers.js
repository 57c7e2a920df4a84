// shows: Two thousand timers of 1 to 2,000 ms, each with a little work.
// see: healthy; timers are on time.
'use strict';

const { noStalls } = require('../support/truth');

let sum = 0;
noStalls('healthy', () => {
  for (let ms = 1; ms <= 2000; ms++) {
    setTimeout(() => { for (let step = 0; step < 10_000; step++) sum += step; }, ms);
  }
});
