// So many promises at once, with two reactions each.
function batch(done) {
  let left = COUNT / 2;
  const count = () => {
    if (--left === 0) done();
  };
  for (let i = 0; i < COUNT / 2; i++) Promise.resolve(i).then((value) => value).then(count);
}
