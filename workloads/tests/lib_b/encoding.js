'use strict';
// Cases of `TextEncoder`, `TextDecoder` and `string_decoder`, on pieces of random bytes.

// Bytes that often begin, continue or break a character.
const BYTES = [0x41, 0x80, 0xbf, 0xc2, 0xc0, 0xe0, 0xa0, 0xe2, 0x82, 0xac, 0xed, 0x9f, 0xf0, 0x90,
  0x9f, 0x98, 0xf4, 0x8f, 0xff, 0xef, 0xbb, 0xd8, 0x3d, 0xdc];
const ENCODINGS = ['utf8', 'utf16le', 'base64', 'base64url', 'hex', 'latin1', 'ascii'];
const LABELS = ['utf8', 'UTF-8', ' utf-8 ', 'unicode-1-1-utf-8', 'nope', '', undefined];

function pieces(random, whole) {
  const cuts = [];
  for (let at = 0; at < whole.length;) {
    const size = 1 + random.below(4);
    cuts.push(Uint8Array.from(whole.slice(at, at + size)));
    at += size;
  }
  return cuts;
}

function shown(run) {
  try {
    return run();
  } catch (error) {
    return error;
  }
}

async function random(suite) {
  for (let i = 0; i < 1500; i++) {
    const bytes = Array.from({ length: suite.random.below(12) }, () => suite.random.pick(BYTES));
    const cuts = pieces(suite.random, bytes);
    const options = { fatal: suite.random.below(2) === 1, ignoreBOM: suite.random.below(2) === 1 };
    await suite.check(`decode ${bytes} ${JSON.stringify(options)}`, ({ TextDecoder }) => {
      const decoder = new TextDecoder('utf-8', options);
      const whole = shown(() => decoder.decode(Uint8Array.from(bytes)));
      const parts = cuts.map((cut) => shown(() => decoder.decode(cut, { stream: true })));
      return [whole, parts, shown(() => decoder.decode())];
    });
  }
}

// Valid text, cut anywhere: the pieces of Node and ours are the same.
async function decoders(suite) {
  const texts = ['', 'abc', 'é', '€uro', '😀', 'a😀é€', '\ufeffx', 'ab\u0000c', 'ΑΒΓ', '漢字😀漢'];
  for (const name of ENCODINGS) {
    for (const text of texts) {
      for (let i = 0; i < 12; i++) {
        const bytes = Buffer.from(text, name === 'utf16le' ? name : 'utf8');
        const cuts = pieces(suite.random, [...bytes]);
        await suite.check(`${name} ${text} ${i}`, ({ StringDecoder }) => {
          const decoder = new StringDecoder(name);
          return [cuts.map((cut) => decoder.write(cut)), decoder.end(), decoder.encoding];
        });
      }
    }
  }
  for (let i = 0; i < 1500; i++) {
    const bytes = Array.from({ length: suite.random.below(10) }, () => suite.random.pick(BYTES));
    const cuts = pieces(suite.random, bytes);
    const name = suite.random.pick(ENCODINGS);
    await suite.check(`${name} ${bytes}`, ({ StringDecoder }) => {
      const decoder = new StringDecoder(name);
      const parts = cuts.map((cut) => decoder.write(cut));
      return [...parts, decoder.end()].join('');
    });
  }
}

module.exports = async (suite) => {
  await suite.table('label', LABELS, ({ TextDecoder }, label) => new TextDecoder(label).encoding);
  const inputs = ['', 'é', '\ud800', 5, undefined, null, {}];
  await suite.table('encode', inputs, ({ TextEncoder }, text) => new TextEncoder().encode(text));
  await suite.table('encodeInto', ['', 'aé', '€€', '😀a', '\ud800x', 5],
    ({ TextEncoder }, text) => {
      const target = new Uint8Array(5);
      return [new TextEncoder().encodeInto(text, target), target];
    });
  await suite.table('decode', [5, 'x', null, {}], ({ TextDecoder }, input) => {
    return new TextDecoder().decode(input);
  });
  await suite.table('StringDecoder', [undefined, null, '', 'UTF-8', 'nope', 5, 'binary'],
    ({ StringDecoder }, name) => new StringDecoder(name).encoding);
  await suite.table('write', ['text', 5, null], ({ StringDecoder }, piece) => {
    return new StringDecoder().write(piece);
  });
  await suite.check('end', ({ StringDecoder, Buffer: Own }) => {
    const decoder = new StringDecoder();
    return [decoder.write(Own.from([0xe2, 0x82])), decoder.end(Own.from([0xac])), decoder.end()];
  });
  await random(suite);
  await decoders(suite);
};
