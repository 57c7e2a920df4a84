'use strict';
// Node's `path`, for POSIX. `win32` is left out: reading it throws an error that says so.
//
// Natives: `cwd() -> string`.

const { checkOptions, checkString } = require('internal/checks');
const {
  concat, each, endsWith, filter, join: joinOf, lastIndexOf, map, pop, push, slice, split,
  startsWith,
} = require('internal/primordials');

// Takes the dots out of a path; `..` at its beginning stays where `absolute` is false.
function withoutDots(path, absolute) {
  const kept = [];
  for (const part of each(split(path, '/'))) {
    if (part === '' || part === '.') continue;
    if (part !== '..') push(kept, part);
    else if (kept.length > 0 && kept[kept.length - 1] !== '..') pop(kept);
    else if (!absolute) push(kept, '..');
  }
  return joinOf(kept, '/');
}

// The path without the slashes at its end; that of the root is ''.
function endOf(path) {
  let end = path.length;
  while (end > 0 && path[end - 1] === '/') end--;
  return end;
}

function resolve(...paths) {
  let resolved = '';
  for (let i = paths.length - 1; i >= 0 && !startsWith(resolved, '/'); i--) {
    checkString(paths[i], `paths[${i}]`);
    if (paths[i] !== '') resolved = `${paths[i]}/${resolved}`;
  }
  if (!startsWith(resolved, '/')) resolved = `${internal.cwd()}/${resolved}`;
  return `/${withoutDots(resolved, true)}`;
}

function normalize(path) {
  checkString(path, 'path');
  if (path === '') return '.';
  const absolute = startsWith(path, '/');
  const normal = withoutDots(path, absolute);
  const slash = endsWith(path, '/') ? '/' : '';
  if (normal === '') return absolute ? '/' : `.${slash}`;
  return (absolute ? '/' : '') + normal + slash;
}

function isAbsolute(path) {
  checkString(path, 'path');
  return startsWith(path, '/');
}

function join(...paths) {
  for (const path of each(paths)) checkString(path, 'path');
  const joined = joinOf(filter(paths, (path) => path !== ''), '/');
  return joined === '' ? '.' : normalize(joined);
}

function relative(from, to) {
  checkString(from, 'from');
  checkString(to, 'to');
  if (from === to) return '';
  const parts = (path) => filter(split(path, '/'), (part) => part !== '');
  const here = parts(resolve(from));
  const there = parts(resolve(to));
  let same = 0;
  while (same < here.length && same < there.length && here[same] === there[same]) same++;
  return joinOf(concat(map(slice(here, same), () => '..'), slice(there, same)), '/');
}

function dirname(path) {
  checkString(path, 'path');
  if (path === '') return '.';
  const slash = lastIndexOf(path, '/', Math.max(endOf(path) - 1, 0));
  if (slash < 0) return '.';
  if (slash === 0) return '/';
  return slash === 1 && path[0] === '/' ? '//' : slice(path, 0, slash);
}

function basename(path, suffix) {
  if (suffix !== undefined) checkString(suffix, 'suffix');
  checkString(path, 'path');
  if (suffix === path && suffix !== '') return '';
  const end = endOf(path);
  const start = end === 0 ? 0 : lastIndexOf(path, '/', end - 1) + 1;
  const base = slice(path, start, end);
  if (!suffix || base === suffix || suffix.length > path.length) return base;
  // A quirk of Node: where the suffix is longer than the base and ends with it, the slashes stay.
  if (endsWith(suffix, base)) return slice(path, start);
  return endsWith(base, suffix) ? slice(base, 0, -suffix.length) : base;
}

function extname(path) {
  checkString(path, 'path');
  const base = basename(path);
  const dot = lastIndexOf(base, '.');
  return dot <= 0 || base === '..' ? '' : slice(base, dot);
}

function parse(path) {
  checkString(path, 'path');
  const root = startsWith(path, '/') ? '/' : '';
  const base = basename(path);
  const slash = lastIndexOf(path, '/', Math.max(endOf(path) - 1, 0));
  // Node takes the second dot of `/..` for an extension.
  const ext = base === '..' && slash === 0 ? '.' : extname(path);
  const dir = slash > 0 ? slice(path, 0, slash) : root;
  return { root, dir, base, ext, name: slice(base, 0, base.length - ext.length) };
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
