// So many timeouts at once, of the same duration.
function batch(done) {
  let left = COUNT;
  const count = () => {
    if (--left === 0) done();
  };
  for (let i = 0; i < COUNT; i++) setTimeout(count, 1);
}
