// File URLs and paths, for the loaders of modules: without the whole of `url`.
'use strict';

const { replace } = require('internal/primordials');

function toPath(url) {
  return decodeURIComponent(replace(replace(url, /^file:\/\//, ''), /[?#].*$/s, ''));
}

function toUrl(file) {
  const encoded = replace(encodeURI(file), /[?#]/g, encodeURIComponent);
  return `file://${encoded}`;
}

module.exports = { toPath, toUrl };
