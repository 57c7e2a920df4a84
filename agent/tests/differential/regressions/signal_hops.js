// Promises of timers that a signal can end take more jobs to settle.
const { setImmediate: later, setTimeout: after } = require('timers/promises');
let hop = 0;
const next = () => {
  if (++hop > 12) return;
  console.log('hop', hop);
  queueMicrotask(next);
};
queueMicrotask(next);
const end = new AbortController();
later('v', { signal: end.signal }).catch((error) => console.log('immediate', error.name));
after(50, 'v', { signal: end.signal }).catch((error) => console.log('timeout', error.code));
end.abort();
after(50, 'v', { signal: end.signal }).catch((error) => console.log('at once', error.name));
