// A timer that is set behind the timers moves the loop's time: what is due by then runs before the
// immediates.
'use strict';

const say = (what) => () => console.log(what);
const busy = (ms) => {
  const end = Date.now() + ms;
  while (Date.now() < end);
};

setTimeout(() => {
  setTimeout(say('due while the drain runs'), 16);
  busy(22);
  queueMicrotask(() => {
    setImmediate(say('immediate'));
    setTimeout(say('late'), 30);
  });
}, 1);
setTimeout(() => {
  queueMicrotask(() => {
    setTimeout(say('set in the drain'), 1);
    busy(3);
    setTimeout(say('late'), 30);
    setImmediate(say('immediate'));
  });
}, 90);
