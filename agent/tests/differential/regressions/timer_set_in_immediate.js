// A timer that is due when the immediate ends that set it runs before the next immediate.
setImmediate(() => {
  setTimeout(() => console.log('timer'), 1);
  setImmediate(() => console.log('immediate'));
  const end = Date.now() + 12;
  while (Date.now() < end);
});
