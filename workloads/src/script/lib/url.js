'use strict';
// Node's `url`: the web's URL, files as URLs, and the older `parse` and `format`.
//
// Where Node's own setters and its bases without slashes depart from the web's standard, this keeps
// to the standard.
//
// Left out: `domainToASCII` and `domainToUnicode`, which need tables that aren't here.
//
// Natives: those of `internal/utf8` and `path`; `platform() -> string`.

const { codes } = require('internal/errors');
const { checkString } = require('internal/checks');
const path = require('path');
const { URL, URLSearchParams } = require('internal/url_class');
const legacy = require('internal/url_legacy');
const {
  charCodeAt, endsWith, padStart, replace, slice, startsWith, test, toHex, toUpperCase,
} = require('internal/primordials');

const isUrl = (value) => Boolean(value?.href && value.protocol && value.auth === undefined &&
  value.path === undefined);

function fileURLToPath(given) {
  const url = typeof given === 'string' ? new URL(given) : given;
  if (!isUrl(url)) throw new codes.ERR_INVALID_ARG_TYPE('path', ['string', 'URL'], given);
  if (url.protocol !== 'file:') throw new codes.ERR_INVALID_URL_SCHEME('file');
  if (url.hostname !== '') throw new codes.ERR_INVALID_FILE_URL_HOST(internal.platform());
  if (test(/%2f/i, url.pathname)) {
    throw new codes.ERR_INVALID_FILE_URL_PATH('must not include encoded / characters');
  }
  return decodeURIComponent(url.pathname);
}

// What a URL would take for something else in a path.
const ENCODED = /[%\\\n\r\t?#[\]^|~]/g;
const encodeCharacter = (character) => {
  return `%${padStart(toUpperCase(toHex(charCodeAt(character, 0))), 2, '0')}`;
};

function pathToFileURL(given) {
  checkString(given, 'path');
  let resolved = path.resolve(given);
  if (endsWith(given, '/') && !endsWith(resolved, '/')) resolved += '/';
  return new URL(`file://${replace(resolved, ENCODED, encodeCharacter)}`);
}

function urlToHttpOptions(url) {
  const { hostname, pathname, port, username, password, search } = url;
  const options = {
    __proto__: null,
    ...url,
    protocol: url.protocol,
    hostname: hostname && startsWith(hostname, '[') ? slice(hostname, 1, -1) : hostname,
    hash: url.hash,
    search,
    pathname,
    path: `${pathname || ''}${search || ''}`,
    href: url.href,
  };
  if (port !== '') options.port = Number(port);
  if (username || password) {
    options.auth = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  }
  return options;
}

module.exports = {
  ...legacy, URL, URLSearchParams, fileURLToPath, pathToFileURL, urlToHttpOptions,
};
