'use strict';
// The basics of Node's `os`. What can't be told without asking the machine in depth is left out:
// `networkInterfaces`, `getPriority`, `setPriority`, and the times and models of `cpus`.
//
// Natives: `cpus() -> number`, `hostname() -> string`, `platform() -> string` (Node's name, such
// as 'linux'), `arch() -> string` (Node's name, such as 'x64'), `release() -> string`,
// `osVersion() -> string`, `machine() -> string`, `uptime() -> number` (seconds),
// `memory() -> [number, number]` (bytes: all, free), `loadAverages() -> [number, number, number]`,
// `env(string) -> string | undefined`,
// `user() -> [number, number, string, string, string | null]` (uid, gid, name, home, shell).

const { endsWith, slice } = require('internal/primordials');

const TYPES = { linux: 'Linux', darwin: 'Darwin', freebsd: 'FreeBSD', openbsd: 'OpenBSD' };

// As many as there are; what each does isn't known, and so is null.
function cpus() {
  return Array.from({ length: internal.cpus() }, () => ({ model: null, speed: null, times: null }));
}

function tmpdir() {
  const named = internal.env('TMPDIR') || internal.env('TMP') || internal.env('TEMP') || '/tmp';
  return named.length > 1 && endsWith(named, '/') ? slice(named, 0, -1) : named;
}

function userInfo() {
  const { 0: uid, 1: gid, 2: username, 3: homedir, 4: shell } = internal.user();
  return { uid, gid, username, homedir, shell };
}

function endianness() {
  return new Uint8Array(new Uint16Array([1]).buffer)[0] === 1 ? 'LE' : 'BE';
}

module.exports = {
  EOL: '\n',
  arch: () => internal.arch(),
  availableParallelism: () => internal.cpus(),
  cpus,
  devNull: '/dev/null',
  endianness,
  freemem: () => internal.memory()[1],
  homedir: () => internal.env('HOME') || internal.user()[3],
  hostname: () => internal.hostname(),
  loadavg: () => internal.loadAverages(),
  machine: () => internal.machine(),
  platform: () => internal.platform(),
  release: () => internal.release(),
  tmpdir,
  totalmem: () => internal.memory()[0],
  type: () => TYPES[internal.platform()] ?? internal.platform(),
  uptime: () => internal.uptime(),
  userInfo,
  version: () => internal.osVersion(),
};
