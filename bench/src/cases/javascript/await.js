// One async function that awaits so many times.
async function batch(done) {
  for (let left = COUNT; left > 0; left--) await null;
  done();
}
