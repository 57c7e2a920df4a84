'use strict';
// What works: prints what comes back.
const fs = require('fs');
const path = require('path');

const { promises } = fs;
const folder = process.argv[2];
const at = (name) => path.join(folder, name);
const log = console.log;

function sync() {
  fs.writeFileSync(at('a'), 'hellö');
  fs.appendFileSync(at('a'), Buffer.from(' wörld'));
  log(fs.readFileSync(at('a')), fs.readFileSync(at('a'), 'utf8'), fs.readFileSync(at('a'), 'hex'));
  const fd = fs.openSync(at('a'), 'r+');
  const bytes = Buffer.alloc(8);
  log(fs.readSync(fd, bytes, 1, 4, 2), bytes, fs.readSync(fd, bytes), bytes);
  log(fs.writeSync(fd, 'XY', 0), fs.writeSync(fd, Buffer.from('123'), 1, 2, 5));
  log(fs.fstatSync(fd).size, fs.ftruncateSync(fd, 7), fs.fsyncSync(fd), fs.closeSync(fd));
  log(fs.readFileSync(at('a'), 'latin1'));
  log(fs.mkdirSync(at('d/e/f'), { recursive: true }), fs.mkdirSync(at('d'), { recursive: true }));
  fs.symlinkSync('a', at('link'));
  fs.symlinkSync('d/e', at('dl'));
  fs.linkSync(at('a'), at('hard'));
  log(fs.readdirSync(folder), fs.readdirSync(folder, 'buffer')[0]);
  for (const entry of fs.readdirSync(folder, { withFileTypes: true })) {
    log(entry.name, entry.path, entry.isFile(), entry.isDirectory(), entry.isSymbolicLink());
  }
  fs.writeFileSync(at('d/e/z'), '');
  log(fs.readdirSync(at('d'), { recursive: true }));
  log(fs.realpathSync(at('dl/f/../z')), fs.realpathSync.native(at('dl')));
  log(fs.readlinkSync(at('dl')));
  log(fs.lstatSync(at('link')).isSymbolicLink(), fs.statSync(at('link')).nlink);
  log(fs.existsSync(at('a')), fs.existsSync(at('zz')), fs.existsSync(5));
  log(fs.statSync(at('zz'), { throwIfNoEntry: false }), fs.accessSync(at('a'), 6));
  fs.copyFileSync(at('a'), at('copy'));
  fs.renameSync(at('copy'), at('moved'));
  fs.chmodSync(at('moved'), '600');
  fs.truncateSync(at('moved'), 2);
  log(fs.statSync(at('moved')).mode, fs.readFileSync(at('moved'), 'utf8'));
  fs.rmSync(at('d'), { recursive: true });
  log(fs.existsSync(at('d')), fs.mkdtempSync(at('tmp-')).length - folder.length);
  const stats = fs.statSync(at('a'));
  log(Object.keys(stats).join(), stats.mtime instanceof Date, stats.constructor.name);
  const large = fs.statSync(at('a'), { bigint: true });
  log(Object.keys(large).join(), large.size, large.isFile());
  log(JSON.stringify(fs.constants));
}

function call(name, ...args) {
  return new Promise((resolve) => {
    fs[name](...args, (...told) => {
      log(name, ...told.map((one) => one?.size ?? one));
      resolve();
    });
  });
}

async function callbacks() {
  await call('writeFile', at('w'), 'data');
  await call('appendFile', at('w'), '++');
  await call('readFile', at('w'));
  await call('readFile', at('w'), { encoding: 'base64' });
  await call('stat', at('w'));
  await call('mkdir', at('x/y/z'), { recursive: true });
  await call('readdir', at('x'));
  const fd = fs.openSync(at('w'), 'r+');
  await call('read', fd, Buffer.alloc(4), 0, 4, 0);
  await call('read', fd, { length: 2, buffer: Buffer.alloc(3) });
  await call('read', fd, Buffer.alloc(0), 0, 0, 0);
  await call('readFile', fd, 'utf8');
  await call('write', fd, 'abc');
  await call('write', fd, Buffer.from('xyz'), 1, 2);
  await call('write', fd, 'é', 1, 'latin1');
  await call('close', fd);
  await call('readFile', at('w'), 'latin1');
  await call('truncate', at('w'), 2);
  await call('rm', at('none'), { force: true });
  await new Promise((resolve) => fs.exists(at('w'), (there) => resolve(log(there))));
  const controller = new AbortController();
  controller.abort();
  const { signal } = controller;
  fs.readFile(at('w'), { signal }, (error) => log(error.name, error.code, error.message));
  await promises.readFile(at('w'), { signal }).catch((error) => log(error.name, error.code));
}

async function promised() {
  await promises.writeFile(at('p'), 'data');
  await promises.appendFile(at('p'), 'x');
  log(await promises.readFile(at('p')), await promises.readFile(at('p'), 'utf8'));
  const handle = await promises.open(at('p'), 'r+');
  handle.on('close', () => log('close'));
  log(await handle.read(Buffer.alloc(3), 0, 3, 1), await handle.write('QQ', 0));
  log(await handle.write(Buffer.from('zz'), 0, 1, 3), (await handle.stat()).size);
  log(await handle.readFile('utf8'), await handle.truncate(3), await handle.appendFile('..'));
  log(await handle.close(), handle.fd, await handle.close());
  await handle.read().catch((error) => log(error.message, error.code, error.syscall));
  log(await promises.readFile(at('p'), 'utf8'));
  await promises.writeFile(at('parts'), ['a', 'b', Buffer.from('c')]);
  log(await promises.readFile(at('parts'), 'utf8'));
  const large = Buffer.alloc(1500000, 'abcdefg');
  await promises.writeFile(at('large'), large);
  log((await promises.readFile(at('large'))).equals(large), fs.readFileSync(at('large')).length);
}

async function all() {
  sync();
  await callbacks();
  await promised();
}

all();
