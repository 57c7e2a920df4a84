// wrong: A page of some megabytes is compressed by zlib.gzipSync.
// see: Stalls of 100 ms and more in compressPage; the leaf is zlib.
'use strict';

const zlib = require('node:zlib');
const { run } = require('../support/truth');

let seed = 1;
const word = () => (seed = (seed * 16807) % 2147483647).toString(36);
const page = Buffer.from(Array.from({ length: 800_000 }, word).join(' '));

// In few large chunks, as the copying of small ones is JavaScript.
const chunkSize = 1 << 23;

function compressPage(body) {
  return zlib.gzipSync(body, { chunkSize }).length;
}

run({ cause: 'cpu-bound-callback', culprit: compressPage, key: 'native' },
  () => compressPage(page));
