'use strict';

// A control group of our own, for this process alone, in either version. Needs root.

const fs = require('node:fs');
const path = require('node:path');

// The folder of a controller's hierarchy in which this process is: version 1, else version 2.
function home(controller) {
  const read = (file) => fs.readFileSync(file, 'utf8').trim().split('\n');
  const mounts = read('/proc/self/mounts').map((line) => line.split(' '));
  const groups = read('/proc/self/cgroup').map((line) => line.split(':'));
  const one = mounts.find(([, , kind, options]) => (
    kind === 'cgroup' && options.split(',').includes(controller)));
  const two = mounts.find(([, , kind]) => kind === 'cgroup2');
  const found = one ?? two;
  if (!found) throw new Error(`there is no hierarchy of control groups with ${controller}`);
  const group = groups.find(([number, names]) => (
    one ? names.split(',').includes(controller) : number === '0'));
  return { version: one ? 1 : 2, folder: path.join(found[1], group[2]) };
}

// Makes the group; `enter` moves this process into it. It is left and removed at exit.
function make(controller) {
  const { version, folder } = home(controller);
  const ours = path.join(folder, `labelled-${process.pid}`);
  fs.mkdirSync(ours);
  process.on('exit', () => {
    fs.writeFileSync(path.join(folder, 'cgroup.procs'), String(process.pid));
    fs.rmdirSync(ours);
  });
  return {
    version,
    folder: ours,
    write: (file, value) => fs.writeFileSync(path.join(ours, file), String(value)),
    // In another thread: to move a process may take the kernel longer than a stall.
    enter: () => fs.writeFile(path.join(ours, 'cgroup.procs'), String(process.pid), (error) => {
      if (error) throw error;
    }),
  };
}

// At most so many us of CPU time in each period.
function quota(us, periodUs = 100_000) {
  const group = make('cpu');
  const one = group.version === 1;
  if (one) group.write('cpu.cfs_period_us', periodUs);
  const limit = (most) => {
    if (one) group.write('cpu.cfs_quota_us', most === 'max' ? -1 : most);
    else group.write('cpu.max', `${most} ${periodUs}`);
  };
  limit(us);
  // What is done to leave it is not to be a stall of its own.
  process.prependListener('exit', () => limit('max'));
  return { ...group, meter: () => meter(group) };
}

// Tells how long the group was throttled since it was asked last.
function meter(group) {
  let before = throttledMs(group);
  return () => {
    const now = throttledMs(group);
    const held = now - before;
    before = now;
    return held;
  };
}

function throttledMs({ version, folder }) {
  const text = fs.readFileSync(path.join(folder, 'cpu.stat'), 'utf8');
  const [, ns, us] = text.match(version === 1 ? /throttled_time (\d+)/ : /()throttled_usec (\d+)/);
  return version === 1 ? ns / 1e6 : us / 1e3;
}

// A group that can be frozen, and the shell commands that do it and undo it.
function freezer() {
  const group = make('freezer');
  const one = group.version === 1;
  const file = path.join(group.folder, one ? 'freezer.state' : 'cgroup.freeze');
  const command = (state) => `echo ${state} >'${file}'`;
  const [freeze, thaw] = one ? ['FROZEN', 'THAWED'] : ['1', '0'];
  return { ...group, freeze: command(freeze), thaw: command(thaw) };
}

module.exports = { quota, freezer };
