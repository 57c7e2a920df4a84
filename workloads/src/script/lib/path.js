'use strict';
// Node's `path`, for POSIX. `win32` is left out: reading it throws an error that says so.
//
// Natives: `cwd() -> string`.

const { checkOptions, checkString } = require('internal/checks');

// Takes the dots out of a path; `..` at its beginning stays where `absolute` is false.
function withoutDots(path, absolute) {
  const kept = [];
  for (const part of path.split('/')) {
    if (part === '' || part === '.') continue;
    if (part !== '..') kept.push(part);
    else if (kept.length > 0 && kept[kept.length - 1] !== '..') kept.pop();
    else if (!absolute) kept.push('..');
  }
  return kept.join('/');
}

// The path without the slashes at its end; that of the root is ''.
function endOf(path) {
  let end = path.length;
  while (end > 0 && path[end - 1] === '/') end--;
  return end;
}

function resolve(...paths) {
  let resolved = '';
  for (let i = paths.length - 1; i >= 0 && !resolved.startsWith('/'); i--) {
    checkString(paths[i], `paths[${i}]`);
    if (paths[i] !== '') resolved = `${paths[i]}/${resolved}`;
  }
  if (!resolved.startsWith('/')) resolved = `${internal.cwd()}/${resolved}`;
  return `/${withoutDots(resolved, true)}`;
}

function normalize(path) {
  checkString(path, 'path');
  if (path === '') return '.';
  const absolute = path.startsWith('/');
  const normal = withoutDots(path, absolute);
  const slash = path.endsWith('/') ? '/' : '';
  if (normal === '') return absolute ? '/' : `.${slash}`;
  return (absolute ? '/' : '') + normal + slash;
}

function isAbsolute(path) {
  checkString(path, 'path');
  return path.startsWith('/');
}

function join(...paths) {
  for (const path of paths) checkString(path, 'path');
  const joined = paths.filter((path) => path !== '').join('/');
  return joined === '' ? '.' : normalize(joined);
}

function relative(from, to) {
  checkString(from, 'from');
  checkString(to, 'to');
  if (from === to) return '';
  const parts = (path) => path.split('/').filter((part) => part !== '');
  const here = parts(resolve(from));
  const there = parts(resolve(to));
  let same = 0;
  while (same < here.length && same < there.length && here[same] === there[same]) same++;
  return [...here.slice(same).map(() => '..'), ...there.slice(same)].join('/');
}

function dirname(path) {
  checkString(path, 'path');
  if (path === '') return '.';
  const slash = path.lastIndexOf('/', Math.max(endOf(path) - 1, 0));
  if (slash < 0) return '.';
  if (slash === 0) return '/';
  return slash === 1 && path[0] === '/' ? '//' : path.slice(0, slash);
}

function basename(path, suffix) {
  if (suffix !== undefined) checkString(suffix, 'suffix');
  checkString(path, 'path');
  if (suffix === path && suffix !== '') return '';
  const end = endOf(path);
  const start = end === 0 ? 0 : path.lastIndexOf('/', end - 1) + 1;
  const base = path.slice(start, end);
  if (!suffix || base === suffix || suffix.length > path.length) return base;
  // A quirk of Node: where the suffix is longer than the base and ends with it, the slashes stay.
  if (suffix.endsWith(base)) return path.slice(start);
  return base.endsWith(suffix) ? base.slice(0, -suffix.length) : base;
}

function extname(path) {
  checkString(path, 'path');
  const base = basename(path);
  const dot = base.lastIndexOf('.');
  return dot <= 0 || base === '..' ? '' : base.slice(dot);
}

function parse(path) {
  checkString(path, 'path');
  const root = path.startsWith('/') ? '/' : '';
  const base = basename(path);
  const slash = path.lastIndexOf('/', Math.max(endOf(path) - 1, 0));
  // Node takes the second dot of `/..` for an extension.
  const ext = base === '..' && slash === 0 ? '.' : extname(path);
  const dir = slash > 0 ? path.slice(0, slash) : root;
  return { root, dir, base, ext, name: base.slice(0, base.length - ext.length) };
}

function format(object) {
  checkOptions(object, 'pathObject');
  const dir = object.dir || object.root;
  const dot = object.ext && object.ext[0] !== '.' ? '.' : '';
  const base = object.base || `${object.name || ''}${object.ext ? dot + object.ext : ''}`;
  if (!dir) return base;
  return dir === object.root ? `${dir}${base}` : `${dir}/${base}`;
}

const path = {
  resolve, normalize, isAbsolute, join, relative, dirname, basename, extname, format, parse,
  toNamespacedPath: (given) => given,
  sep: '/',
  delimiter: ':',
};
path.posix = path;
Object.defineProperty(path, 'win32', {
  get() {
    throw new Error('path.win32 is not supported here: paths are those of POSIX');
  },
});

module.exports = path;
