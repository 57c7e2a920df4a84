// wrong: A checksum of an upload is computed in JavaScript, byte by byte.
// see: Stalls of 100 ms and more in crc32.
'use strict';

const { run } = require('../support/truth');

const table = Int32Array.from({ length: 256 }, (_, index) => {
  let entry = index;
  for (let bit = 0; bit < 8; bit++) entry = entry & 1 ? (entry >>> 1) ^ 0xedb88320 : entry >>> 1;
  return entry;
});
const upload = Buffer.alloc(60_000_000, 'what people upload');

function crc32(bytes) {
  let crc = -1;
  for (let at = 0; at < bytes.length; at++) crc = table[(crc ^ bytes[at]) & 255] ^ (crc >>> 8);
  return ~crc >>> 0;
}

run({ cause: 'cpu-bound-callback', culprit: crc32, key: 'javascript' }, () => crc32(upload));
