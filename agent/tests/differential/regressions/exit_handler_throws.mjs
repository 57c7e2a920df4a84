// A handler of `exit` that throws what somebody handles: nothing that was queued is run behind it.
process.on('uncaughtException', (error) => {
  console.log('uncaught', error.message);
  Promise.resolve().then(() => console.log('never'));
});
process.on('exit', () => {
  Promise.resolve().then(() => console.log('never'));
  throw new Error('in a handler');
});
process.on('exit', () => console.log('never'));
