'use strict';
// Cases of `buffer`: tables for every function, and random bytes and texts.

const ENCODINGS = ['utf8', 'utf-8', 'UTF8', 'hex', 'base64', 'base64url', 'latin1', 'binary',
  'ascii', 'utf16le', 'ucs2', 'UCS-2', 'HEX', 'nope', '', undefined, null, 'Base64URL'];
const TEXTS = ['', 'a', 'héllo', '€uro', '😀', 'x😀y', '\ud800', 'a\udc00b', '\0\x7f\x80\xff', 'zz',
  '0', '00ff', 'ABcd0', '00f g1', 'YQ==', 'YQ', 'YQ=YQ=', 'Y-_/+', ' Y Q\n= ', '====', 'Y', 'AAAAA',
  'éYQ', 'ŁYQ', 'toString', '\ufeffbom'];
const ODD = [undefined, null, 0, 1, -1, 2.7, NaN, Infinity, '1', {}, true, -0, 2 ** 33, 10];
const NAMES = ['Int8', 'UInt8', 'Uint8', 'Int16LE', 'Int16BE', 'UInt16LE', 'UInt16BE', 'Int32LE',
  'Int32BE', 'UInt32LE', 'UInt32BE', 'FloatLE', 'FloatBE', 'DoubleLE', 'DoubleBE', 'BigInt64LE',
  'BigInt64BE', 'BigUInt64LE', 'BigUint64BE'];
const SIZED = ['IntLE', 'IntBE', 'UIntLE', 'UintBE'];
const ALPHABET = ['a', 'Z', '0', '9', '=', '-', '_', '/', '+', ' ', 'é', '€', '😀', '\n', 'f', 'g',
  '\ud83d', '\ude00', '\ufffd', '\0'];

function pairs(first, second) {
  return first.flatMap((a) => second.map((b) => [a, b]));
}

async function texts(suite) {
  const rows = pairs(TEXTS, ENCODINGS);
  await suite.table('from', rows, ({ Buffer }, [text, name]) => Buffer.from(text, name));
  await suite.table('byteLength', rows, ({ Buffer }, [text, name]) => {
    return Buffer.byteLength(text, name);
  });
  await suite.table('toString', rows, ({ Buffer }, [text, name]) => {
    return Buffer.from(text).toString(name);
  });
  await suite.table('write', rows, ({ Buffer }, [text, name]) => {
    const buffer = Buffer.alloc(5, 1);
    return [buffer.write(text, name), buffer, buffer.write(text, 1, 3, name), buffer];
  });
  await suite.table('fill', rows, ({ Buffer }, [text, name]) => {
    return [Buffer.alloc(7).fill(text, name), Buffer.alloc(7, 9).fill(text, 2, 5, name)];
  });
  await suite.table('alloc', rows, ({ Buffer }, [text, name]) => Buffer.alloc(5, text, name));
  await suite.table('indexOf', rows, ({ Buffer }, [text, name]) => {
    const buffer = Buffer.from('xhéllo€uro😀zz00ff');
    return [buffer.indexOf(text, name), buffer.lastIndexOf(text, name), buffer.includes(text)];
  });
  await suite.table('isEncoding', ENCODINGS, ({ Buffer }, name) => Buffer.isEncoding(name));
  await suite.table('toString', pairs(ODD, ODD), ({ Buffer }, [start, end]) => {
    return Buffer.from('abcdefghijklmnop').toString('latin1', start, end);
  });
  const web = ['', 'a', 'ab', 'abc', 'é', '€', 'YQ==', 'YQ=', 'YQ', ' Y\tQ= =', 'Y', 'Y===', '====',
    'YW=J', 'Y-_', 1, null, undefined, {}, 'YWI=', 'YWJj', '=', '==', 'YWJjZ'];
  await suite.table('btoa', web, ({ btoa }, text) => btoa(text));
  await suite.table('atob', web, ({ atob }, text) => atob(text));
  await suite.check('no input', ({ atob }) => atob());
  await suite.check('no input', ({ btoa }) => btoa());
}

async function numbers(suite) {
  const source = [0, 1, 0x7f, 0x80, 0xff, 0xfe, 3, 200, 17, 255, 0];
  await suite.table('read', pairs(NAMES, [...ODD, 3, 7, 9, 11]), ({ Buffer }, [name, offset]) => {
    return Buffer.from(source)[`read${name}`](offset);
  });
  const values = [0, 1, -1, 127, 128, 255, 256, -128, -129, 65535, 65536, -32768, 2 ** 31, 2 ** 32,
    -(2 ** 31), 1.5, -0.5, NaN, Infinity, '12', 'x', undefined, null, 0n, 1n, -1n, 2n ** 63n,
    2n ** 64n, -(2n ** 63n), 2n ** 64n - 1n, 1e300, 0.1, 2 ** 40, 2 ** 47, -(2 ** 47), 2 ** 48 - 1];
  await suite.table('write', pairs(NAMES, values), ({ Buffer }, [name, value]) => {
    const buffer = Buffer.alloc(10, 7);
    return [buffer[`write${name}`](value, 1), buffer];
  });
  await suite.table('write at', pairs(NAMES, ODD), ({ Buffer }, [name, offset]) => {
    const buffer = Buffer.alloc(10, 7);
    return [buffer[`write${name}`](name.includes('Big') ? 5n : 5, offset), buffer];
  });
  const sizes = [0, 1, 2, 3, 4, 5, 6, 7, undefined, '3', 1.5, null, NaN];
  await suite.table('read', pairs(SIZED, pairs([0, 4, 5, 9, -1, undefined, '1', 1.5], sizes)),
    ({ Buffer }, [name, [offset, size]]) => Buffer.from(source)[`read${name}`](offset, size));
  await suite.table('write', pairs(SIZED, pairs(values, sizes)),
    ({ Buffer }, [name, [value, size]]) => {
      const buffer = Buffer.alloc(9, 7);
      return [buffer[`write${name}`](value, 1, size), buffer];
    });
  await suite.check('write nothing', ({ Buffer }) => Buffer.alloc(0).writeInt32LE(1));
}

async function parts(suite) {
  const both = pairs(ODD, ODD);
  for (const name of ['slice', 'subarray']) {
    await suite.table(name, both, ({ Buffer }, [start, end]) => {
      return Buffer.from('abcdefghijkl')[name](start, end);
    });
  }
  await suite.table('fill', pairs([0, 7, 300, -1, 1.9, true, null, undefined, {}, 'ab'], both),
    ({ Buffer }, [value, [start, end]]) => Buffer.alloc(12, 9).fill(value, start, end));
  await suite.table('copy', pairs(ODD, both), ({ Buffer }, [target, [start, end]]) => {
    const buffer = Buffer.alloc(8, 1);
    return [Buffer.from('abcdefgh').copy(buffer, target, start, end), buffer];
  });
  await suite.table('compare', pairs(ODD, both), ({ Buffer }, [a, [b, c]]) => {
    return Buffer.from('abcdefgh').compare(Buffer.from('bcd'), a, b, c);
  });
  await suite.table('indexOf', pairs(['c', 'cd', '', 99, 355, 99.5, null, true, {}], ODD),
    ({ Buffer }, [value, offset]) => {
      const buffer = Buffer.from('abcdabcd');
      return [buffer.indexOf(value, offset), buffer.lastIndexOf(value, offset)];
    });
  await suite.table('alloc', [...ODD, 5, 'x'], ({ Buffer }, size) => {
    return Buffer.alloc(size === 2 ** 33 ? 1e12 : size);
  });
  await suite.table('swap', [0, 2, 4, 6, 8, 16], ({ Buffer }, length) => {
    const make = () => Buffer.from(Array.from({ length }, (_, i) => i));
    const attempt = (name) => {
      try {
        return make()[name]();
      } catch (error) {
        return error;
      }
    };
    return [attempt('swap16'), attempt('swap32'), attempt('swap64')];
  });
}

const SINGLE = {
  'from a number': ({ Buffer }) => Buffer.from(5),
  'from nothing': ({ Buffer }) => Buffer.from(),
  'from null': ({ Buffer }) => Buffer.from(null),
  'from an array': ({ Buffer }) => Buffer.from([1, 256, -1, 'x', '7', 1.5]),
  'from an object': ({ Buffer }) => Buffer.from({ a: 1 }),
  'from a list': ({ Buffer }) => Buffer.from({ length: 3, 0: 1, 2: 5 }),
  'from a String': ({ Buffer }) => Buffer.from(new String('abc')),
  'from toPrimitive': ({ Buffer }) => Buffer.from({ [Symbol.toPrimitive]: () => 'abc' }),
  'from JSON': ({ Buffer }) => Buffer.from(JSON.parse(JSON.stringify(Buffer.from('abc')))),
  'from memory': ({ Buffer }) => Buffer.from(new Uint8Array([1, 2, 3]).buffer, 1),
  'from memory, part': ({ Buffer }) => Buffer.from(new ArrayBuffer(8), 2, 3),
  'from memory, past its end': ({ Buffer }) => Buffer.from(new ArrayBuffer(8), 9),
  'from memory, too long': ({ Buffer }) => Buffer.from(new ArrayBuffer(8), 2, 7),
  'from 16 bits': ({ Buffer }) => Buffer.from(new Uint16Array([1, 300])),
  'copyBytesFrom': ({ Buffer }) => Buffer.copyBytesFrom(new Uint16Array([1, 300, 5]), 1, 1),
  'of': ({ Buffer }) => Buffer.of(1, 2, 300),
  'memory is shared': ({ Buffer }) => {
    const memory = new ArrayBuffer(4);
    const buffer = Buffer.from(memory);
    new Uint8Array(memory)[1] = 9;
    buffer.slice(1).fill(3, 1);
    return buffer;
  },
  'concat': ({ Buffer }) => Buffer.concat([Buffer.from('ab'), new Uint8Array([1])]),
  'concat, cut': ({ Buffer }) => Buffer.concat([Buffer.from('ab'), Buffer.from('cd')], 3),
  'concat, long': ({ Buffer }) => Buffer.concat([Buffer.from('ab')], 5),
  'concat of texts': ({ Buffer }) => Buffer.concat(['ab', Buffer.from('x')]),
  'concat of nothing': ({ Buffer }) => Buffer.concat('x'),
  'concat of -1': ({ Buffer }) => Buffer.concat([Buffer.from('x')], -1),
  'equals': ({ Buffer }) => Buffer.from('a').equals('a'),
  'equals itself': ({ Buffer }) => Buffer.from('a').equals(new Uint8Array([97])),
  'compare with text': ({ Buffer }) => Buffer.compare('a', Buffer.from('a')),
  'byteLength of others': ({ Buffer }) => Buffer.byteLength(new Uint16Array(3)),
  'byteLength of 5': ({ Buffer }) => Buffer.byteLength(5),
  'write a number': ({ Buffer }) => Buffer.alloc(3).write(5),
  'without new': ({ Buffer }) => [Buffer('ab'), new Buffer(3), new Buffer([1])],
  'of a number and a text': ({ Buffer }) => Buffer(3, 'hex'),
  'map and filter': ({ Buffer }) => {
    const made = Buffer.from([1, 2, 3]).map((byte) => byte * 2);
    return [made, Buffer.isBuffer(made), made.constructor === Buffer, made.filter((b) => b > 2)];
  },
  'kinds': ({ Buffer }) => [
    Buffer.isBuffer(new Uint8Array(1)), Buffer.alloc(1) instanceof Uint8Array, Buffer.name,
    Object.prototype.toString.call(Buffer.alloc(1)), Buffer.poolSize,
    Buffer.alloc(2).parent.byteLength,
  ],
  'inspect': ({ Buffer }) => [
    Buffer.from('abc').inspect(), Buffer.alloc(60).inspect(), Buffer.alloc(51).inspect(),
    Buffer.alloc(0).inspect(), Object.assign(Buffer.from('a'), { x: 1 }).inspect(1, {}),
  ],
  'JSON': ({ Buffer }) => JSON.stringify([Buffer.from('abc'), Buffer.alloc(0)]),
  'isUtf8': ({ isUtf8, Buffer }) => [isUtf8(Buffer.from('é')), isUtf8(Buffer.from([0xc0, 0x80]))],
  'isAscii': ({ isAscii, Buffer }) => [isAscii(Buffer.from('é')), isAscii(Buffer.from('e'))],
  'constants': ({ constants, kMaxLength }) => [constants.MAX_STRING_LENGTH, kMaxLength],
  'entries': ({ Buffer }) => [...Buffer.from('ab').entries()],
};

async function random(suite) {
  const names = ENCODINGS.slice(0, 13);
  for (let i = 0; i < 1500; i++) {
    const bytes = suite.random.bytes(24);
    const text = suite.random.text(ALPHABET, 12);
    const [a, b] = [suite.random.below(26) - 4, suite.random.below(26) - 4];
    const name = suite.random.pick(names);
    await suite.check(`random ${name} ${JSON.stringify(text)} ${bytes} ${a} ${b}`, (library) => {
      const buffer = library.Buffer.from(bytes);
      const target = library.Buffer.alloc(9, 1);
      return [
        buffer.toString(name), buffer.toString(name, a, b), library.Buffer.from(text, name),
        library.Buffer.byteLength(text, name), target.write(text, name), target,
        buffer.slice(a, b), library.isUtf8(buffer), buffer.indexOf(text, a, name),
        buffer.lastIndexOf(bytes.subarray(0, 2), b, name), buffer.indexOf(bytes.subarray(3, 5), a),
        library.Buffer.compare(buffer, target),
      ];
    });
  }
}

module.exports = async (suite) => {
  for (const [label, run] of Object.entries(SINGLE)) await suite.check(label, run);
  for (const part of [texts, numbers, parts, random]) await part(suite);
};
