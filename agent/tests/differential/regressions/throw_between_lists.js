// What a timer that throws has left runs before the timers of another list, not behind all.
process.on('uncaughtException', (error) => {
  console.log('uncaught', error.message);
  process.nextTick(() => console.log('tick of the handler'));
  Promise.resolve().then(() => console.log('microtask of the handler'));
});
setTimeout(() => {
  process.nextTick(() => console.log('tick of the first'));
  throw new Error('first');
}, 1);
setTimeout(() => console.log('of the same list'), 1);
setTimeout(() => {
  throw new Error('last of its list');
}, 5);
setTimeout(() => console.log('of another list'), 9);
const end = Date.now() + 30;
while (Date.now() < end);
