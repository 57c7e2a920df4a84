'use strict';
// Percent-encoding, and the hosts of URLs: domains, IPv4 and IPv6 addresses, opaque ones.
//
// A domain with letters outside of ASCII needs tables that aren't here: it is refused with an
// error that says so. Labels that begin with `xn--` are taken as they are.
//
// Natives: those of `internal/utf8`.

const utf8 = require('internal/utf8');
const {
  bytesFrom, chars, codePointAt, concat, each, endsWith, every, fill, includes, join, map, padStart,
  pop, push, pushAll, reduce, slice, some, split, startsWith, test, toHex, toLowerCase, toUpperCase,
} = require('internal/primordials');

const SPECIAL_PORTS = {
  '__proto__': null, 'http': 80, 'https': 443, 'ws': 80, 'wss': 443, 'ftp': 21, 'file': null,
};
const isSpecial = (scheme) => scheme in SPECIAL_PORTS;

// What is encoded besides controls and everything outside of ASCII; each holds the one before.
const SETS = { control: '', fragment: ' "<>`', query: ' "#<>' };
SETS.specialQuery = `${SETS.query}'`;
SETS.path = `${SETS.query}?\`{}`;
SETS.userinfo = `${SETS.path}/:;=@[\\]^|`;

const hex = (byte) => `%${padStart(toUpperCase(toHex(byte)), 2, '0')}`;

function percentEncode(text, set) {
  let encoded = '';
  for (const character of chars(text)) {
    const code = codePointAt(character, 0);
    if (code > 0x1f && code < 0x7f) {
      encoded += includes(set, character) ? hex(code) : character;
    } else {
      for (const byte of each(utf8.encode(character))) encoded += hex(byte);
    }
  }
  return encoded;
}

function percentDecode(bytes) {
  const decoded = [];
  for (let i = 0; i < bytes.length; i++) {
    const digits = bytes[i] === 37 ?
      Reflect.apply(String.fromCharCode, null, slice(bytes, i + 1, i + 3)) : '';
    if (test(/^[0-9a-fA-F]{2}$/, digits)) {
      push(decoded, parseInt(digits, 16));
      i += 2;
    } else {
      push(decoded, bytes[i]);
    }
  }
  return bytesFrom(decoded);
}

function ipv4Number(part) {
  if (test(/^0[xX][0-9a-fA-F]*$/, part)) return part.length === 2 ? 0 : parseInt(part, 16);
  if (test(/^0[0-7]*$/, part)) return parseInt(part, 8);
  return test(/^[1-9][0-9]*$/, part) ? Number(part) : NaN;
}

function endsInNumber(domain) {
  const parts = split(domain, '.');
  if (parts[parts.length - 1] === '') {
    if (parts.length === 1) return false;
    pop(parts);
  }
  const last = parts[parts.length - 1];
  return test(/^[0-9]+$/, last) || !Number.isNaN(ipv4Number(last));
}

// The address in its usual form; null where it is none.
function ipv4(domain) {
  const parts = split(domain, '.');
  if (parts[parts.length - 1] === '' && parts.length > 1) pop(parts);
  if (parts.length > 4) return null;
  const numbers = map(parts, ipv4Number);
  const last = pop(numbers);
  if (some(numbers, (number) => !(number <= 255)) || !(last < 256 ** (4 - numbers.length))) {
    return null;
  }
  const address = reduce(numbers, (sum, number, i) => sum + number * 256 ** (3 - i), last);
  return join(map([24, 16, 8, 0], (shift) => Math.floor(address / 2 ** shift) % 256), '.');
}

// The two last pieces of an IPv6 address that ends as an IPv4 one.
function embedded(text) {
  const parts = split(text, '.');
  const right = (part) => test(/^(0|[1-9][0-9]{0,2})$/, part) && Number(part) <= 255;
  if (parts.length !== 4 || !every(parts, right)) return null;
  const { 0: a, 1: b, 2: c, 3: d } = map(parts, Number);
  return [a * 256 + b, c * 256 + d];
}

function pieces(text) {
  if (text === '') return [];
  const found = [];
  const parts = split(text, ':');
  for (let i = 0; i < parts.length; i++) {
    const part = parts[i];
    if (i === parts.length - 1 && includes(part, '.')) {
      const two = embedded(part);
      if (two === null) return null;
      pushAll(found, two);
    } else {
      if (!test(/^[0-9a-fA-F]{1,4}$/, part)) return null;
      push(found, parseInt(part, 16));
    }
  }
  return found;
}

function ipv6(text) {
  const halves = split(text, '::');
  if (halves.length > 2) return null;
  const { 0: head, 1: tail } = map(halves, pieces);
  if (head === null || tail === null || (tail && includes(halves[0], '.'))) return null;
  if (tail === undefined) return head.length === 8 ? ipv6Text(head) : null;
  const gap = 8 - head.length - tail.length;
  return gap < 1 ? null : ipv6Text(concat(head, fill(new Array(gap), 0), tail));
}

// The longest run of zeros, the first of those as long, is written as `::`.
function ipv6Text(address) {
  let from = -1;
  let length = 1;
  for (let i = 0; i < 8; i++) {
    let end = i;
    while (end < 8 && address[end] === 0) end++;
    if (end - i > length) {
      from = i;
      length = end - i;
    }
  }
  const text = (part) => join(map(part, (piece) => toHex(piece)), ':');
  if (from < 0) return `[${text(address)}]`;
  return `[${text(slice(address, 0, from))}::${text(slice(address, from + length))}]`;
}

function needsTables(domain) {
  const error = new TypeError(`the host name "${domain}" has letters outside of ASCII, which are ` +
    'not supported here: write it in its ASCII form, which begins with "xn--"');
  error.code = 'ERR_INVALID_URL';
  return error;
}

// The host as a URL shows it; null where it is none.
function parseHost(text, special) {
  if (startsWith(text, '[')) return endsWith(text, ']') ? ipv6(slice(text, 1, -1)) : null;
  if (!special) {
    return test(/[\0\t\n\r #/:<>?@[\\\]^|]/, text) ? null : percentEncode(text, SETS.control);
  }
  const domain = utf8.decode(percentDecode(utf8.encode(text)));
  // U+FFFD stands for bytes that are no character.
  if (domain === '' || test(/[\0-\x20#%/:<>?@[\\\]^|\x7f\ufffd]/, domain)) return null;
  if (test(/[^\0-\x7f]/, domain)) throw needsTables(domain);
  const lower = toLowerCase(domain);
  return endsInNumber(lower) ? ipv4(lower) : lower;
}

module.exports = { SETS, SPECIAL_PORTS, isSpecial, parseHost, percentEncode };
