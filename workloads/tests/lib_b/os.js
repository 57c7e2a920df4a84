'use strict';
// Cases of `os`: what does not change from one call to the next.

module.exports = async (suite) => {
  const names = ['arch', 'availableParallelism', 'endianness', 'homedir', 'hostname', 'machine',
    'platform', 'release', 'tmpdir', 'totalmem', 'type', 'version', 'userInfo'];
  await suite.table('os', names, (os, name) => JSON.stringify(os[name]()));
  await suite.check('others', (os) => [
    os.EOL, os.devNull, os.cpus().length, os.loadavg().length, os.freemem() > 0, os.uptime() > 0,
  ]);
  for (const [name, value] of [['TMPDIR', '/a/'], ['TMPDIR', '/'], ['HOME', '/x']]) {
    const before = process.env[name];
    process.env[name] = value;
    await suite.check(`${name}=${value}`, (os) => [os.tmpdir(), os.homedir()]);
    if (before === undefined) delete process.env[name];
    else process.env[name] = before;
  }
};
