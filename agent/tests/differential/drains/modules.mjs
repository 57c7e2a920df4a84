// Modules that share what they import, that await, fail, are there already or are not there,
// make no sense, are of another type than asked for, lack a name, or are asked for twice at once.
import fs from 'node:fs';
import './shares.mjs';

const imports = [
  () => import('./fresh.mjs'),
  () => import('./shares.mjs'),
  () => import('node:os'),
  () => import('node:fs'),
  () => import('data:text/javascript,1'),
  () => import('./missing.mjs'),
  () => import('./fails.mjs'),
  () => import('./fails.js'),
  () => import('./imports.mjs'),
  () => Promise.all([import('./plain.js'), import('./plain.js')]),
  () => Promise.all([import('./fresh.mjs?again'), import('./fresh.mjs?again')]),
  () => import('./deep.mjs'),
  () => import('./deep.mjs?again#more'),
  () => import('./data.json'),
  () => import('./data.json', { with: { type: 'json' } }),
  () => import('./below.mjs', { with: { type: 'json' } }),
  () => import('./untyped.mjs'),
  () => import('./wrong.mjs'),
  () => import('./wrong.mjs'),
  () => import('./aboveWrong.mjs'),
  () => {
    // Node handles the rejection that it gives on, and not its own.
    process.once('unhandledRejection', () => {});
    return import('./aboveFailed.mjs');
  },
  () => import('./unnamed.mjs'),
  () => import('./unnamedCommon.mjs'),
  () => import('node:no'),
  () => import('no'),
  () => import('data:text/no,1'),
  () => import('data:application/json,1'),
];
const next = () => {
  const call = imports.shift();
  if (call === undefined) return;
  call().catch(() => {}).then(() => setTimeout(next, 1));
};
await new Promise((settle) => setTimeout(settle, 1));
setTimeout(next, 1, fs);
