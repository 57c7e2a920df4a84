// shows: Twenty intervals of 10 to 200 ms, for 2.5 s.
// see: healthy.
'use strict';

const { noStalls } = require('../support/truth');

noStalls('healthy', () => {
  const all = Array.from({ length: 20 }, (_, id) => setInterval(() => {
    JSON.parse(JSON.stringify({ id, list: Array.from({ length: 500 }, String) }));
  }, 10 * (id + 1)));
  setTimeout(() => all.forEach(clearInterval), 2500);
});
