// What a handler of rejections throws leaves the others of that time untold, and what was queued to
// the next callback.
'use strict';

const say = (what) => () => console.log(what);
process.on('uncaughtException', (error) => console.log(`caught ${error.message}`));
process.on('unhandledRejection', (error) => {
  console.log(`told of ${error.message}`);
  process.nextTick(say('tick'));
  queueMicrotask(say('job'));
  if (error.message === 'b') throw new Error('of the handler');
});
process.on('rejectionHandled', () => {
  throw new Error('of the late handler');
});

const fail = (what) => Promise.reject(new Error(what));
setTimeout(() => {
  fail('a');
  const late = fail('b');
  fail('c');
  setImmediate(say('immediate'));
  setTimeout(() => {
    setImmediate(() => late.catch(say('handled')));
    setImmediate(say('last'));
  }, 9);
}, 1);
