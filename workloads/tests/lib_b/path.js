'use strict';
// Cases of `path`: every function on a list of paths, and on random ones.

const PATHS = ['', '/', '//', '///', '.', '..', './', '../', '/.', '/..', 'a', 'a/', '/a', '/a/',
  '//a', '//a/b', 'a/b', 'a//b', 'a/./b', 'a/../b', '../a', '../../a', '/../a', 'a/..', 'a/../..',
  'a.js', '.a', '.a.js', 'a.', 'a..', '..a', 'a.b.c', '/a/b.c/d', '/a/.b', 'a/b.js/', 'a/b.js//',
  '...', './..', '/a/b/../../..', ' a', 'ä/ö.ü', '.js', 'js', 'a/.js', 'b.js'];
const ODD = [undefined, null, 5, {}, [], true, () => {}];

async function two(suite, label, a, b) {
  await suite.check(`${label} ${JSON.stringify([a, b])}`, (path) => [
    path.join(a, b), path.resolve(a, b), path.relative(a, b), path.basename(a, b),
    path.join(a, '..', b, '.'), path.resolve('/x', a, '', b),
  ]);
}

module.exports = async (suite) => {
  const one = ['normalize', 'dirname', 'basename', 'extname', 'parse', 'isAbsolute', 'resolve',
    'toNamespacedPath', 'join', 'format', 'relative'];
  for (const name of one) {
    await suite.table(name, [...PATHS, ...ODD], (path, value) => path.posix[name](value));
  }
  for (const a of PATHS) {
    for (const b of PATHS) await two(suite, 'two', a, b);
  }
  const objects = [{}, { base: 'a' }, { dir: '/' }, { root: '/', base: 'a' },
    { name: 'a', ext: 'b' }, { dir: '/a', name: 'b', ext: '.c' },
    { root: '/', dir: '/', base: 'x' }, { root: '/', name: 'x' },
    { dir: 'a', root: '/', base: 'c', ext: '.x' }];
  await suite.table('format', objects, (path, object) => path.format(object));
  await suite.check('none', (path) => [path.resolve(), path.join(), path.sep, path.delimiter]);
  await suite.check('win32', (path) => {
    try {
      return path.win32.sep === '\\';
    } catch (error) {
      return error.message.includes('is not supported here');
    }
  });
  await suite.check('same', (path) => [path.posix === path, path.posix.posix === path]);
  for (let i = 0; i < 2000; i++) {
    const [a, b] = [0, 1].map(() => suite.random.text(['/', '/', '.', '..', 'a', 'b', '.js'], 9));
    await two(suite, 'random', a, b);
    await suite.check(`random ${a}`, (path) => [
      path.normalize(a), path.dirname(a), path.extname(a), path.parse(a),
      path.format(path.parse(a)),
    ]);
  }
};
