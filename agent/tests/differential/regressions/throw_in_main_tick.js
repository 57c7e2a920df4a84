// What a tick of the main program that throws has left runs before the first immediate.
process.on('uncaughtException', (error) => console.log('uncaught', error.message));
setImmediate(() => {
  console.log('immediate');
  process.nextTick(() => console.log('tick of the immediate'));
  throw new Error('immediate');
});
setImmediate(() => console.log('immediate behind one that throws'));
process.nextTick(() => {
  process.nextTick(() => console.log('tick behind one that throws'));
  Promise.resolve().then(() => console.log('microtask behind one that throws'));
  throw new Error('tick');
});
