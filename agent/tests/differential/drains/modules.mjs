// Modules that share what they import, that await, fail, are there already or are not there.
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
];
const next = () => {
  const call = imports.shift();
  if (call === undefined) return;
  call().catch(() => {}).then(() => setTimeout(next, 1));
};
await new Promise((settle) => setTimeout(settle, 1));
setTimeout(next, 1, fs);
