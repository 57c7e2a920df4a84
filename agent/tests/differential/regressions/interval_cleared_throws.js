// What an interval leaves that clears itself and throws runs one list of timers later.
process.on('uncaughtException', (error) => {
  console.log('uncaught', error.message);
  process.nextTick(() => console.log('tick of the handler'));
});
const interval = setInterval(() => {
  clearInterval(interval);
  throw new Error('interval');
}, 1);
setTimeout(() => console.log('of the next list'), 5);
setTimeout(() => console.log('of the last list'), 9);
const end = Date.now() + 30;
while (Date.now() < end);
