// How many jobs Node's loader puts before and behind an imported module.
const hops = (count) => {
  let hop = 0;
  const next = () => {
    if (++hop > count) return;
    console.log('hop', hop);
    queueMicrotask(next);
  };
  queueMicrotask(next);
};
const data = 'data:text/javascript,console.log("data")';
const names = ['node:path', data, './missing.mjs', './data.js'];
for (const name of names) {
  const tell = (what) => () => console.log(what, name);
  hops(30);
  await import(name).then(tell('imported'), tell('failed'));
  await import(name).then(tell('again'), tell('failed again'));
  await new Promise((settle) => setTimeout(settle, 20));
}
