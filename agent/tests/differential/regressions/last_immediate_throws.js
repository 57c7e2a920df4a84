// Behind the last immediate that throws those that were set meanwhile run at once.
process.on('uncaughtException', (error) => console.log('uncaught', error.message));
setImmediate(() => {
  setImmediate(() => console.log('first'));
  setImmediate(() => console.log('second'));
  process.nextTick(() => console.log('tick'));
  throw new Error('immediate');
});
