// So many immediates at once.
function batch(done) {
  let left = COUNT;
  const count = () => {
    if (--left === 0) done();
  };
  for (let i = 0; i < COUNT; i++) setImmediate(count);
}
