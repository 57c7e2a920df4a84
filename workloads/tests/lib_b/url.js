'use strict';
// Cases of `url`: lists of URLs and bases, setters, and random texts of the characters that count.

const INPUTS = ['http://a.b/c', 'HTTP://A.B:80/c?d#e', 'https://u:p@h:8080/x/../y?q=1#f', 'a', '/a',
  '//a', '///a', '?q', '#h', '', ' http://a/ ', 'http:a', 'http:/a', 'http:///a', 'http:\\\\a\\b',
  'http://a:', 'http://a:99999', 'http://a:x', 'http://', 'http://@', 'http://@a', 'http://:@a',
  'http://a@b@c/', 'http://1.2.3', 'http://256.1.1.1', 'http://0x7f.1', 'http://010.1.1.1',
  'http://1.2.3.4.5', 'http://1.2.3.4.', 'http://[::1]:3/', 'http://[1:2:3:4:5:6:7:8]',
  'http://[::1.2.3.4]', 'http://[1::8::9]', 'http://[::ffff:0:0]', 'http://[1:0:0:2:0:0:0:3]',
  'http://[1:0:0:2:0:0:3:4]', 'http://[1:0:2:3:4:5:6:7]',
  'http://[g::1]', 'http://[::1', 'http://%41%42', 'http://a%00b', 'http://a b', 'http://a<b',
  'mailto:a@b', 'data:text/plain,x y', 'javascript:alert(1)', 'file:///a/b', 'file:a', 'file://h/a',
  'file:///C:/x/../..', 'file:///C|/x', 'file://localhost/x', 'file:C:/x', 'FILE:/..',
  'foo://bar/b',
  'foo:/bar', 'foo:///x', 'foo:bar/../x', 'foo://a:80', 'foo://a b', 'foo:', 'foo:/..//x',
  'ws://a:80',
  'wss://a:443/', 'ftp://a:21', 'http://a/%2e/%2E%2e/b', 'http://a/b/./c/../', "http://a/?'\"<>",
  'foo://a/?\'', 'http://a/#`<>" ', 'http://a/`{}^|\\', 'http://ü@a/ü?ü#ü', 'http://a/\ud800',
  'blob:http://a:1/x', 'blob:x', 'http://a\t.b\n/', 'h%74tp://a', 'http://a..b', 'http://.', '1:2',
  'http://user:@a', 'http://:pw@a', 'http://a?q', 'http://a#h', 'file:?q', 'file:#h', 'http://0',
  'http://0x', 'http://1.0x', 'http://a.1x', 'http://4294967296', 'c:/x', 'http://a:0080/',
  'non-special:opaque ?hi', 'http://xn--mnchen-3ya.de/', 'http://a//b//', 'http://[::0:0:1]',
  'http://*a', 'http://a`b', 'http://a{b}', 'http://a"b', 'http://a%7Fb', 'http://[::1]x',
  'http://a]'];
const BASES = [undefined, 'http://h:1/p/q?r#s', 'file:///C:/p/q?x', 'file://h/p', 'mailto:x',
  'foo://h/p/q', 'foo:/p/q', 'https://h', 'bad'];
const VALUES = ['', 'x', 'http', 'https:', 'file', 'foo:', 'h:81', '[::1]', ':9', '/a/../b', '?a=b',
  '#c', 'a b', '99999', '8x', '80', '443', 'ä', 'a@b', 'a/b', 'a?b', 'a#b', '\\x', '1.2',
  'localhost', '..', '?', '#'];
const NAMES = ['href', 'origin', 'protocol', 'username', 'password', 'host', 'hostname', 'port',
  'pathname', 'search', 'hash'];
const STARTS = ['http://u:p@h:1/p?q#f', 'https://h', 'file:///p', 'file://h/p', 'foo://h:2/p',
  'foo:opaque?q', 'foo:/p', 'foo:///p'];
const ALPHABET = ['http:', 'file:', 'foo:', '/', '/', '\\', '?', '#', '@', ':', '.', '..', '%2e',
  'a',
  'C:', 'C|', '1', '[', ']', '::1', ' ', 'x', '0x1', '%', '&', '=', '<', '|', '^', '{', '\'', '`',
  '\t', '%41', '~', ';', '127.1', '80', 'ws:'];
const PARSED = ['http://a.b:80/c?d=e&d=f#g', '/a/b?c', '//a/b', 'a/b', 'mailto:a@b.c', 'HTTP://A.B',
  'http://u:p%40@h/x y', 'http://[::1]:3/a', 'x:y', '?q', '#h', '', 'file:///a', 'http://a\\b',
  'javascript:alert(1)', 'http://a?b', 'http://a#b', 'a:80', 'http://h/{}', '/a#b', '/@x'];

const facts = (url) => [...NAMES.map((name) => url[name]), url.searchParams.toString()];

// What needs IDNA is refused on purpose.
const isAscii = (text) => !/[^\0-\x7f]/.test(decodeAll(text));

function decodeAll(text) {
  return text.replace(/%[89a-f][0-9a-f]/gi, 'ü');
}

async function params(suite) {
  const inits = [undefined, null, '', '?a=1&b=2', 'a=%20+&b', { a: 1, b: [1, 2] }, [['a', 'b']],
    [['a']], [1], new Map([['x', 'y']]), 5, '&&=', 'a=%E2%82', 'ä=ö', 'a=!\'()*~-._',
    { a: '\ud800' }];
  await suite.table('params', inits, ({ URLSearchParams }, init) => {
    const made = new URLSearchParams(init);
    const before = [`${made}`, made.size, [...made], made.get('a'), made.getAll('a'),
      made.has('b')];
    made.append('a', 'new');
    made.set('b', 'only');
    made.delete('a', '1');
    made.sort();
    return [before, `${made}`, [...made.keys()], [...made.values()], made.has('a', 'new')];
  });
  for (const name of ['append', 'delete', 'get', 'getAll', 'has', 'set', 'forEach']) {
    await suite.check(`params.${name}`, ({ URLSearchParams }) => new URLSearchParams()[name]());
  }
  await suite.check('params of a URL', ({ URL }) => {
    const url = new URL('http://a/?x=1 2&y');
    const { searchParams } = url;
    searchParams.append('z', 'ä b');
    const first = url.href;
    url.search = '?n=1';
    const second = [...searchParams];
    searchParams.delete('n');
    return [first, second, url.href];
  });
}

async function files(suite) {
  const urls = ['file:///a/b', 'file:///a%20b', 'file:///a%2Fb', 'file://h/a', 'http://a', 5, {},
    'file:///%E2%82%AC', 'file:///a?b#c', null];
  await suite.table('fileURLToPath', urls, ({ fileURLToPath }, url) => fileURLToPath(url));
  const paths = ['/a/b', 'a', '/a b', '/a%b?c#d', '/a/', '/ä', '/\t\n\\x', '', '/~x/"y"', 5,
    '/a|b^c', '/[x]', '/!$&*()+,;=:@{}`<>'];
  await suite.table('pathToFileURL', paths, ({ pathToFileURL }, path) => pathToFileURL(path).href);
  await suite.table('urlToHttpOptions', STARTS, ({ URL, urlToHttpOptions }, url) => {
    return Object.entries(urlToHttpOptions(new URL(url)));
  });
}

async function older(suite) {
  for (const flags of [[false, false], [true, false], [false, true]]) {
    await suite.table(`parse ${flags}`, PARSED, ({ parse }, text) => {
      return Object.entries(parse(text, ...flags));
    });
  }
  await suite.table('format', [...PARSED, 5, null, { hostname: 'a', port: 1, pathname: 'x' },
    { protocol: 'http', host: 'h', query: { a: [1, 2] } }, { pathname: '/a?b#c', hash: 'x' },
    { protocol: 'file', pathname: '/x' }, { hostname: '::1', slashes: true, auth: 'a:b@' }],
  ({ format }, given) => format(given));
  await suite.check('format of a URL', ({ URL, format }) => {
    return format(new URL('http://u:p@a/?b#c'), { fragment: false, search: false, auth: false });
  });
  const pairs = [['/a/b', 'c'], ['http://a/b', '/c'], ['http://a/b/c', '../d'], ['/a', '?x']];
  await suite.table('resolve', pairs, ({ resolve }, [from, to]) => resolve(from, to));
}

// Where Node 20 departs from the web's standard: some parts of URLs that have no special scheme
// can't be set, or are set to something else, and a port is cleared by a text with a colon.
function isNodesOwn(start, name) {
  return start.startsWith('foo:') && ['host', 'hostname', 'port', 'pathname'].includes(name);
}

// Node leaves `foo://h/..` without a path, where the standard has `/`, and takes all that begins
// with `C:` in a file's path for a drive, which `..` does not leave.
function losesSlash(text, base) {
  if (/C[:|].*(\.|%2e){2}/is.test(text)) return true;
  const upAlone = /\/(\.|%2e){2}($|[?#\/])/i.test(text.replace(/\s/g, ''));
  return upAlone && !/^\s*(http|ws|file):/.test(/^\s*[a-z0-9]+:/i.test(text) ? text : base);
}

module.exports = async (suite) => {
  for (const base of BASES) {
    await suite.table(`base ${base}`, INPUTS, ({ URL }, input) => facts(new URL(input, base)));
  }
  await suite.table('canParse', INPUTS, ({ URL }, input) => URL.canParse(input));
  await suite.check('nothing', ({ URL }) => new URL());
  for (const start of STARTS) {
    for (const name of NAMES) {
      if (name === 'origin' || isNodesOwn(start, name)) continue;
      const values = VALUES.filter((value) => isAscii(value) || !name.startsWith('host'))
        .filter((value) => name !== 'port' || !value.includes(':'));
      await suite.table(`${start} ${name}`, values, ({ URL }, value) => {
        const url = new URL(start);
        url[name] = value;
        return facts(url);
      });
    }
  }
  await suite.check('a host that needs tables', ({ URL }) => {
    try {
      return new URL('http://ü/').hostname === 'xn--tda';
    } catch (error) {
      return error.message.includes('which are not supported here');
    }
  });
  await suite.check('JSON', ({ URL }) => [JSON.stringify(new URL('a:b')), `${new URL('a:b')}`]);
  for (const part of [params, files, older]) await part(suite);
  for (let i = 0; i < 6000; i++) {
    const text = suite.random.pick(['', 'http://', 'foo://', 'file://']) +
      suite.random.text(ALPHABET, 8);
    const base = suite.random.pick(BASES);
    // Node takes some texts for relative to `mailto:x` where the standard has an error.
    if (!isAscii(text) || base === 'mailto:x' || losesSlash(text, base)) continue;
    await suite.check(`random ${JSON.stringify(text)} ${base}`, ({ URL }) => {
      return facts(new URL(text, base));
    });
  }
};
