// File URLs and paths, for the loaders of modules: without the whole of `url`.
'use strict';

function toPath(url) {
  return decodeURIComponent(url.replace(/^file:\/\//, '').replace(/[?#].*$/s, ''));
}

function toUrl(file) {
  const encoded = encodeURI(file).replace(/[?#]/g, encodeURIComponent);
  return `file://${encoded}`;
}

module.exports = { toPath, toUrl };
