// Runs a batch for each line of the input, and tells how many nanoseconds it took.
process.stdin.on('data', () => {
  const start = process.hrtime.bigint();
  batch(() => console.log(String(process.hrtime.bigint() - start)));
});
