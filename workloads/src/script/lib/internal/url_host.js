'use strict';
// Percent-encoding, and the hosts of URLs: domains, IPv4 and IPv6 addresses, opaque ones.
//
// A domain with letters outside of ASCII needs tables that aren't here: it is refused with an
// error that says so. Labels that begin with `xn--` are taken as they are.
//
// Natives: those of `internal/utf8`.

const utf8 = require('internal/utf8');

const SPECIAL_PORTS = {
  '__proto__': null, 'http': 80, 'https': 443, 'ws': 80, 'wss': 443, 'ftp': 21, 'file': null,
};
const isSpecial = (scheme) => scheme in SPECIAL_PORTS;

// What is encoded besides controls and everything outside of ASCII; each holds the one before.
const SETS = { control: '', fragment: ' "<>`', query: ' "#<>' };
SETS.specialQuery = `${SETS.query}'`;
SETS.path = `${SETS.query}?\`{}`;
SETS.userinfo = `${SETS.path}/:;=@[\\]^|`;

const hex = (byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;

function percentEncode(text, set) {
  let encoded = '';
  for (const character of text) {
    const code = character.codePointAt(0);
    if (code > 0x1f && code < 0x7f) {
      encoded += set.includes(character) ? hex(code) : character;
    } else {
      for (const byte of utf8.encode(character)) encoded += hex(byte);
    }
  }
  return encoded;
}

function percentDecode(bytes) {
  const decoded = [];
  for (let i = 0; i < bytes.length; i++) {
    const digits = bytes[i] === 37 ? String.fromCharCode(...bytes.slice(i + 1, i + 3)) : '';
    if (/^[0-9a-fA-F]{2}$/.test(digits)) {
      decoded.push(parseInt(digits, 16));
      i += 2;
    } else {
      decoded.push(bytes[i]);
    }
  }
  return Uint8Array.from(decoded);
}

function ipv4Number(part) {
  if (/^0[xX][0-9a-fA-F]*$/.test(part)) return part.length === 2 ? 0 : parseInt(part, 16);
  if (/^0[0-7]*$/.test(part)) return parseInt(part, 8);
  return /^[1-9][0-9]*$/.test(part) ? Number(part) : NaN;
}

function endsInNumber(domain) {
  const parts = domain.split('.');
  if (parts[parts.length - 1] === '') {
    if (parts.length === 1) return false;
    parts.pop();
  }
  const last = parts[parts.length - 1];
  return /^[0-9]+$/.test(last) || !Number.isNaN(ipv4Number(last));
}

// The address in its usual form; null where it is none.
function ipv4(domain) {
  const parts = domain.split('.');
  if (parts[parts.length - 1] === '' && parts.length > 1) parts.pop();
  if (parts.length > 4) return null;
  const numbers = parts.map(ipv4Number);
  const last = numbers.pop();
  if (numbers.some((number) => !(number <= 255)) || !(last < 256 ** (4 - numbers.length))) {
    return null;
  }
  const address = numbers.reduce((sum, number, i) => sum + number * 256 ** (3 - i), last);
  return [24, 16, 8, 0].map((shift) => Math.floor(address / 2 ** shift) % 256).join('.');
}

// The two last pieces of an IPv6 address that ends as an IPv4 one.
function embedded(text) {
  const parts = text.split('.');
  const right = (part) => /^(0|[1-9][0-9]{0,2})$/.test(part) && Number(part) <= 255;
  if (parts.length !== 4 || !parts.every(right)) return null;
  const [a, b, c, d] = parts.map(Number);
  return [a * 256 + b, c * 256 + d];
}

function pieces(text) {
  if (text === '') return [];
  const found = [];
  const parts = text.split(':');
  for (const [i, part] of parts.entries()) {
    if (i === parts.length - 1 && part.includes('.')) {
      const two = embedded(part);
      if (two === null) return null;
      found.push(...two);
    } else {
      if (!/^[0-9a-fA-F]{1,4}$/.test(part)) return null;
      found.push(parseInt(part, 16));
    }
  }
  return found;
}

function ipv6(text) {
  const halves = text.split('::');
  if (halves.length > 2) return null;
  const [head, tail] = halves.map(pieces);
  if (head === null || tail === null || (tail && halves[0].includes('.'))) return null;
  if (tail === undefined) return head.length === 8 ? ipv6Text(head) : null;
  const gap = 8 - head.length - tail.length;
  return gap < 1 ? null : ipv6Text([...head, ...new Array(gap).fill(0), ...tail]);
}

// The longest run of zeros, the first of those as long, is written as `::`.
function ipv6Text(address) {
  let [from, length] = [-1, 1];
  for (let i = 0; i < 8; i++) {
    let end = i;
    while (end < 8 && address[end] === 0) end++;
    if (end - i > length) [from, length] = [i, end - i];
  }
  const text = (part) => part.map((piece) => piece.toString(16)).join(':');
  if (from < 0) return `[${text(address)}]`;
  return `[${text(address.slice(0, from))}::${text(address.slice(from + length))}]`;
}

function needsTables(domain) {
  const error = new TypeError(`the host name "${domain}" has letters outside of ASCII, which are ` +
    'not supported here: write it in its ASCII form, which begins with "xn--"');
  error.code = 'ERR_INVALID_URL';
  return error;
}

// The host as a URL shows it; null where it is none.
function parseHost(text, special) {
  if (text.startsWith('[')) return text.endsWith(']') ? ipv6(text.slice(1, -1)) : null;
  if (!special) {
    return /[\0\t\n\r #/:<>?@[\\\]^|]/.test(text) ? null : percentEncode(text, SETS.control);
  }
  const domain = utf8.decode(percentDecode(utf8.encode(text)));
  // U+FFFD stands for bytes that are no character.
  if (domain === '' || /[\0-\x20#%/:<>?@[\\\]^|\x7f\ufffd]/.test(domain)) return null;
  if (/[^\0-\x7f]/.test(domain)) throw needsTables(domain);
  const lower = domain.toLowerCase();
  return endsInNumber(lower) ? ipv4(lower) : lower;
}

module.exports = { SETS, SPECIAL_PORTS, isSpecial, parseHost, percentEncode };
