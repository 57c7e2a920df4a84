// Behind what a tick throws the next timer, or the next list, runs before any other tick.
'use strict';

const say = (what) => () => console.log(what);
process.on('uncaughtException', (error) => {
  console.log(`caught ${error.message}`);
  Promise.resolve().then(say('job of the handler'));
});
const fail = (what) => process.nextTick(() => {
  throw new Error(what);
});

setTimeout(say('second list'), 8);
setTimeout(() => {
  fail('a');
  fail('b');
  process.nextTick(say('tick'));
}, 1);
setTimeout(say('same list'), 1);
const end = Date.now() + 22;
while (Date.now() < end);
