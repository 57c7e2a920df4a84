// shows: Pages that are compressed by the callback API, two at a time.
// see: healthy; the work is done by threads of the pool.
'use strict';

const zlib = require('node:zlib');
const { noStalls } = require('../support/truth');

const page = Buffer.from(Array.from({ length: 60_000 }, (_, id) => (id * id).toString(36)).join());

function compress(end) {
  zlib.gzip(page, (error) => {
    if (error) throw error;
    if (performance.now() < end) compress(end);
  });
}

noStalls('healthy', () => {
  const end = performance.now() + 2000;
  compress(end);
  compress(end);
});
