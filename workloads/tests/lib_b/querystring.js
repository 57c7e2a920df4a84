'use strict';
// Cases of `querystring`.

const QUERIES = ['', 'a', 'a=1', 'a=1&a=2&a=3', '&&a=1&&', '=', '=1', 'a=', 'a==b', 'a=%20+b',
  'a=%zz', 'a=%E2%82%AC', 'a=%E2', 'a%3D=b', '%', 'a;b', 'a=1;b=2', '__proto__=1', 'a=b=c', 'ä=ö'];
const OBJECTS = [{}, null, 5, 'x', { a: 1, b: 'x y', c: [1, 2], d: [] }, { a: null, b: undefined },
  { a: true, b: 10n, c: NaN, d: 1e300 }, { 'ä&': '=+€' }, [1, 2], { a: '!\'()*~-._' }, { a: {} }];
const ALPHABET = ['a', 'b', '=', '&', '%', '%20', '%E2%82%AC', '+', 'c', '4'];

module.exports = async (suite) => {
  await suite.table('parse', [...QUERIES, undefined, 5], (qs, query) => qs.parse(query));
  await suite.table('parse;', QUERIES, (qs, query) => qs.parse(query, ';', ':'));
  await suite.table('parse, few', QUERIES, (qs, query) => qs.parse(query, null, null, {
    maxKeys: 1,
  }));
  await suite.table('parse, own', QUERIES, (qs, query) => qs.parse(query, '&', '=', {
    decodeURIComponent: (text) => `<${text}>`,
  }));
  await suite.table('stringify', OBJECTS, (qs, object) => [
    qs.stringify(object), qs.stringify(object, ';', ':'),
  ]);
  await suite.table('escape', [...QUERIES, 5, null, undefined, {}], (qs, text) => qs.escape(text));
  await suite.table('unescape', QUERIES, (qs, text) => [
    qs.unescape(text), qs.unescapeBuffer(text),
  ]);
  for (let i = 0; i < 800; i++) {
    const query = suite.random.text(ALPHABET, 9);
    await suite.check(`random ${query}`, (qs) => [
      qs.parse(query), qs.stringify(qs.parse(query)), qs.unescape(query), qs.escape(query),
    ]);
  }
};
