// Each microtask queues the next one.
function batch(done) {
  let left = COUNT;
  const step = () => {
    if (--left > 0) queueMicrotask(step);
    else done();
  };
  queueMicrotask(step);
}
