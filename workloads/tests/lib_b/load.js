'use strict';
// Loads the files of `src/script/lib` into Node, with the wrapper that the engine's host uses.
//
// What only the host has is played by Node: the natives below, and the modules of `FROM_NODE`.
// A library file that isn't there is Node's own internal one, so `--expose-internals` is needed.

const fs = require('fs');
const os = require('os');
const path = require('path');
const vm = require('vm');

const LIB = path.join(__dirname, '../../src/script/lib');
const FROM_NODE = {
  'timers': () => require('timers'),
  // How values are printed is compared by the tests of the inspector.
  'internal/inspect': () => require('util'),
  'internal/task_queues': () => process,
};
const INSTEAD = {
  'internal/errors': () => require('internal/errors'),
};

const internal = {
  utf8Encode: (string) => new TextEncoder().encode(string),
  utf8Decode: (bytes) => new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes),
  cwd: () => process.cwd(),
  cpus: () => os.cpus().length,
  hostname: () => os.hostname(),
  platform: () => process.platform,
  arch: () => process.arch,
  release: () => os.release(),
  osVersion: () => os.version(),
  machine: () => os.machine(),
  uptime: () => os.uptime(),
  memory: () => [os.totalmem(), os.freemem()],
  loadAverages: () => os.loadavg(),
  env: (name) => process.env[name],
  user: () => {
    const { uid, gid, username, homedir, shell } = os.userInfo();
    return [uid, gid, username, homedir, shell];
  },
};

const loaded = new Map();

function load(name) {
  const bare = name.replace(/^node:/, '');
  if (loaded.has(bare)) return loaded.get(bare).exports;
  const module = { exports: {} };
  loaded.set(bare, module);
  if (FROM_NODE[bare]) {
    module.exports = FROM_NODE[bare]();
    return module.exports;
  }
  const file = path.join(LIB, `${bare}.js`);
  if (!fs.existsSync(file)) {
    if (!INSTEAD[bare]) throw new Error(`no such library file: ${file}`);
    module.exports = INSTEAD[bare]();
    return module.exports;
  }
  const names = ['exports', 'require', 'module', 'internal'];
  const body = vm.compileFunction(fs.readFileSync(file, 'utf8'), names, { filename: file });
  body(module.exports, load, module, internal);
  return module.exports;
}

module.exports = { load };
