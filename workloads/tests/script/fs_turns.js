'use strict';
// How many calls of `stat`, one behind the other, end while an operation is under way: the pool has
// one thread, so that is how many of the operation's own calls, and so turns, it takes.
const fs = require('fs');

const { promises } = fs;
const folder = process.argv[2];
const at = (name) => `${folder}/${name}`;
fs.writeFileSync(at('a'), 'x'.repeat(1000));
fs.writeFileSync(at('big'), 'x'.repeat(1300000));
fs.mkdirSync(at('t/u'), { recursive: true });
fs.writeFileSync(at('t/u/f'), '');
fs.symlinkSync('t', at('l'));
const deep = { recursive: true };

const operations = {
  readFile: (done) => fs.readFile(at('a'), done),
  readBig: (done) => fs.readFile(at('big'), done),
  readNone: (done) => fs.readFile(at('none'), done),
  readFolder: (done) => fs.readFile(folder, done),
  writeFile: (done) => fs.writeFile(at('w'), 'abc', done),
  writeNothing: (done) => fs.writeFile(at('w'), '', done),
  appendFile: (done) => fs.appendFile(at('w'), 'abc', done),
  stat: (done) => fs.stat(folder, done),
  readdir: (done) => fs.readdir(folder, { withFileTypes: true }, done),
  mkdir: (done) => fs.mkdir(at('m'), done),
  mkdirDeep: (done) => fs.mkdir(at('x/y/z'), deep, done),
  mkdirThere: (done) => fs.mkdir(at('x/y/z'), deep, done),
  realpath: (done) => fs.realpath(at('l/u/f'), done),
  realpathNative: (done) => fs.realpath.native(at('l/u/f'), done),
  rmDeep: (done) => fs.rm(at('x'), deep, done),
  rm: (done) => fs.rm(at('w'), done),
  truncate: (done) => fs.truncate(at('a'), 5, done),
  access: (done) => fs.access(folder, done),
  copyFile: (done) => fs.copyFile(at('a'), at('c'), done),
  promisedRead: (done) => promises.readFile(at('a')).then(done),
  promisedText: (done) => promises.readFile(at('a'), 'utf8').then(done),
  promisedBig: (done) => promises.readFile(at('big')).then(done),
  promisedBigText: (done) => promises.readFile(at('big'), 'utf8').then(done),
  promisedWrite: (done) => promises.writeFile(at('w'), 'abc').then(done),
  promisedNothing: (done) => promises.writeFile(at('w'), '').then(done),
  promisedMkdir: (done) => promises.mkdir(at('x/y/z'), deep).then(done),
  promisedRm: (done) => promises.rm(at('x'), deep).then(done),
  promisedTruncate: (done) => promises.truncate(at('a'), 5).then(done),
  promisedRealpath: (done) => promises.realpath(at('l/u/f')).then(done),
  promisedOpen: (done) => promises.open(at('a')).then((handle) => handle.close()).then(done),
};

function count(name) {
  return new Promise((resolve) => {
    let ended = 0;
    let over = false;
    const step = () => fs.stat(folder, () => {
      if (over) return;
      ended++;
      step();
    });
    operations[name](() => {
      over = true;
      console.log(name, ended);
      resolve();
    });
    step();
  });
}

async function all() {
  for (const name of Object.keys(operations)) await count(name);
}

all();
