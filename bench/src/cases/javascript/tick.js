// Each tick queues the next one.
function batch(done) {
  let left = COUNT;
  const step = () => {
    if (--left > 0) process.nextTick(step);
    else done();
  };
  process.nextTick(step);
}
