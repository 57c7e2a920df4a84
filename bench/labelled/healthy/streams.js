// shows: 64 MB that flow from a source through a transform to a sink, with back pressure.
// see: healthy.
'use strict';

const { Readable, Transform, Writable, pipeline } = require('node:stream');
const { noStalls } = require('../support/truth');

const CHUNKS = 1000;

function* source() {
  for (let chunk = 0; chunk < CHUNKS; chunk++) yield Buffer.alloc(64_000, chunk & 255);
}

const invert = new Transform({
  transform(chunk, encoding, done) {
    for (let at = 0; at < chunk.length; at++) chunk[at] ^= 255;
    setImmediate(done, null, chunk);
  },
});
const sink = new Writable({ write: (chunk, encoding, done) => setTimeout(done, 1) });

noStalls('healthy', () => pipeline(Readable.from(source()), invert, sink, (error) => {
  if (error) throw error;
}));
