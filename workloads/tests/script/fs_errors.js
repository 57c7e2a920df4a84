'use strict';
// Calls that fail: prints their errors.
const fs = require('fs');
const path = require('path');

const at = (name) => path.join(process.argv[2], name);
const none = at('none');
const file = at('file');
const full = at('full');
fs.writeFileSync(file, 'hello');
fs.mkdirSync(at('full/inner'), { recursive: true });
fs.symlinkSync('loop', at('loop'));
const bytes = Buffer.alloc(3);

// What is chosen at random at the end of a name.
const plain = (text) => text?.replace(/x-\w{6}(?='|$)/, 'x-123456');

function show(label, error) {
  const { name, code, message, errno, syscall } = error;
  console.log(label, name, code, plain(message), errno, syscall, plain(error.path), error.dest,
    Object.keys(error).join());
}

const sync = [
  ['readFileSync', none], ['readFileSync', none, 'utf8'], ['readFileSync', full],
  ['readFileSync', full, 'utf8'], ['readFileSync', at('file/x')], ['readFileSync', at('loop')],
  ['readFileSync', at('x'.repeat(300))], ['writeFileSync', at('none/x'), 'a'],
  ['writeFileSync', full, 'a'], ['writeFileSync', file, 5], ['writeFileSync', file, 'x', 'zz'],
  ['writeFileSync', file, 'x', { flush: 5 }], ['appendFileSync', at('none/x'), 'a'],
  ['openSync', none, 'r'], ['openSync', file, 'wx'], ['openSync', file, 'zz'],
  ['openSync', file, 'r', 'zz'], ['openSync', file, 'r', -1], ['openSync', 5],
  ['openSync', 'a\u0000b'], ['closeSync', 9999], ['closeSync', -1], ['closeSync', 'x'],
  ['closeSync'], ['readSync', 9999, bytes, 0, 3, 0], ['readSync', 9999, 'x'],
  ['readSync', 0, bytes, 2, 9], ['readSync', 0, bytes, -1, 9],
  ['readSync', 0, Buffer.alloc(0), 0, 9], ['readSync', 0, bytes, 0, 3, 'x'],
  ['writeSync', 9999, 'x'], ['writeSync', 9999, bytes], ['writeSync', 1, 5],
  ['writeSync', 1, bytes, 5], ['writeSync', 1, bytes, 0, 5], ['statSync', none],
  ['statSync', at('loop')], ['statSync', 7], ['lstatSync', none], ['fstatSync', 9999],
  ['readdirSync', none], ['readdirSync', file], ['readdirSync', full, 'zz'],
  ['readdirSync', full, 5], ['mkdirSync', full], ['mkdirSync', at('none/x')],
  ['mkdirSync', file, { recursive: true }], ['mkdirSync', at('file/x'), { recursive: true }],
  ['mkdirSync', at('q'), { recursive: 1 }], ['rmdirSync', full], ['rmdirSync', none],
  ['rmdirSync', file], ['rmSync', none], ['rmSync', full], ['rmSync', full, { recursive: 'x' }],
  ['rmSync', full, 5], ['unlinkSync', none], ['unlinkSync', full], ['renameSync', none, file],
  ['renameSync', full, file], ['renameSync', 5, file], ['renameSync', 'x'],
  ['copyFileSync', none, file], ['copyFileSync', file, at('none/b')],
  ['copyFileSync', file, file, fs.constants.COPYFILE_EXCL], ['copyFileSync', full, at('b')],
  ['accessSync', none], ['readlinkSync', file], ['readlinkSync', none], ['symlinkSync', 'x', file],
  ['symlinkSync', 'x', none, 'zz'], ['linkSync', none, at('y')], ['realpathSync', none],
  ['realpathSync', at('loop')], ['chmodSync', none, 0o600], ['chmodSync', file],
  ['chmodSync', file, '9'], ['truncateSync', none], ['truncateSync', file, 1.5],
  ['ftruncateSync', 9999], ['fsyncSync', 9999], ['readFile', file], ['stat', file], ['stat'],
  ['stat', 5, () => {}], ['unlink', file, 5], ['open', file, 'zz', () => {}],
  ['readFile', {}, () => {}], ['readFile', file, { signal: 5 }, () => {}], ['exists', file],
];
for (const [call, ...args] of sync) {
  try {
    fs[call](...args);
    console.log(call, 'did not fail');
  } catch (error) {
    show(call, error);
  }
}

const both = [
  ['readFile', none], ['readFile', full], ['writeFile', at('none/x'), 'a'], ['open', none],
  ['stat', none], ['lstat', none], ['readdir', file], ['mkdir', full],
  ['mkdir', at('file/x'), { recursive: true }], ['rm', none], ['rm', full], ['rmdir', full],
  ['unlink', none], ['rename', none, file], ['copyFile', none, file], ['access', none],
  ['readlink', file], ['symlink', 'x', file], ['realpath', none], ['mkdtemp', at('none/x-')],
  ['truncate', none], ['chmod', none, 0o600],
];

async function later() {
  for (const [call, ...args] of both) {
    await new Promise((resolve) => {
      fs[call](...args, (...told) => {
        show(`${call} (${told.length})`, told[0]);
        resolve();
      });
    });
    await fs.promises[call](...args).catch((error) => show(`promised ${call}`, error));
  }
  for (const [call, ...args] of [['open', 5], ['readFile', {}], ['stat'], ['rename', 'x']]) {
    await fs.promises[call](...args).catch((error) => show(`promised ${call}`, error));
  }
}

later();
