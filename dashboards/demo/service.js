// A small service with a pathology to switch on and off: for `dashboards/demo/run`.
//   node service.js [PORT]       GET /  answers;  GET /on?NAME and /off switch;  names are below
'use strict';

const { createServer, get } = require('node:http');
const { pbkdf2Sync } = require('node:crypto');

function hashPasswords(ms) {
  const end = performance.now() + ms;
  while (performance.now() < end) pbkdf2Sync('password', 'salt', 1000, 64, 'sha512');
}

function resolvePromises(count) {
  for (let i = 0; i < count; i += 1) Promise.resolve(i).then((n) => n + 1).then((n) => n - 1);
}

function cacheEverything(store) {
  for (let i = 0; i < 200_000; i += 1) store.push({ key: `k${i}`, at: Date.now() });
  if (store.length > 2_000_000) store.length = 0;
}

const store = [];
const PATHOLOGIES = {
  'cpu-bound-callback': () => hashPasswords(150),
  'microtask-flood': () => resolvePromises(150_000),
  'gc-pressure': () => cacheEverything(store),
};

let on = null;
setInterval(() => { if (on) PATHOLOGIES[on](); }, 1000);

const server = createServer((request, response) => {
  const { pathname, search } = new URL(request.url, 'http://localhost');
  const name = search.slice(1);
  if (pathname === '/on' && Object.hasOwn(PATHOLOGIES, name)) on = name;
  if (pathname === '/off') on = null;
  response.end(`${on ?? 'healthy'}; there are ${Object.keys(PATHOLOGIES).join(', ')}\n`);
});

server.listen(Number(process.argv[2] ?? 0), '127.0.0.1', () => {
  const { port } = server.address();
  console.log(`service on http://127.0.0.1:${port}`);
  // Somebody is always there.
  const ask = () => get({ port, path: '/' }, (answer) => answer.resume()).on('error', () => {});
  setInterval(ask, 20);
});
