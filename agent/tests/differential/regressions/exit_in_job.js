// A program that ends itself in a job has no error that a handler could see.
process.on('uncaughtException', (error) => console.log('uncaught', error.message));
process.on('exit', (code) => console.log('exit', code));
(async () => {
  for await (const value of [1]) {
    queueMicrotask(() => process.exit(value + 2));
  }
})();
