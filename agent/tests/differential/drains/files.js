// Calls of fs.promises, one after the other: each as many drains and jobs as in Node.
'use strict';

const fs = require('fs').promises;

const onHandle = (call) => async () => {
  const handle = await fs.open('data.json');
  await Promise.resolve(call(handle)).catch(() => {});
  await handle.close();
};
const calls = [
  () => fs.stat('data.json'),
  () => fs.stat('missing'),
  () => fs.access('missing'),
  () => fs.readFile('data.json'),
  () => fs.readFile('missing'),
  () => fs.readFile('folder'),
  onHandle((handle) => handle.stat()),
  onHandle((handle) => handle.read()),
  onHandle((handle) => handle.write('x')),
  () => fs.writeFile('made', 'text'),
  () => fs.writeFile('made', 'text', { flush: true }),
  () => fs.writeFile('missing/made', 'text'),
  () => fs.appendFile('made', 'text'),
  () => fs.truncate('made'),
  () => fs.readdir('folder'),
  () => fs.readdir('folder', { withFileTypes: true }),
  () => fs.mkdir('folder/in/it', { recursive: true }),
  () => fs.readdir('folder', { recursive: true }),
  () => fs.readdir('missing', { recursive: true }),
  () => fs.rm('folder/in'),
  () => fs.rm('folder/in', { recursive: true }),
  () => fs.rm('missing', { force: true }),
  () => fs.rm('missing'),
  () => fs.rm('made'),
];
const next = () => {
  const call = calls.shift();
  if (call === undefined) return;
  Promise.resolve(call()).catch(() => {}).then(() => setTimeout(next, 1));
};
setTimeout(next, 1);
