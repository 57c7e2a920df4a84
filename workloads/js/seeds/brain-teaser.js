// title: A message, put together by all ways of scheduling: what does it say?
// shows: Read it before you run it. All of it starts in a callback of the poll phase, so no two of
//   its steps race.
// see: One sentence of fourteen words.
// source: broken promises article
'use strict';

const fs = require('fs');

const words = [];
const say = (word) => () => words.push(word);

fs.readFile(__filename, async () => {
  setTimeout(() => {
    process.nextTick(say('which'));
    words.push('in');
  }, 0);

  setImmediate(() => {
    setImmediate(say('it'));
    Promise.resolve().then(say('order'));
    words.push('the');
  });

  Promise.resolve({ then: (resolve) => resolve(process.nextTick(say('not'))) }).then(say('is'));
  Promise.resolve().then(say('which'));
  queueMicrotask(say('you'));

  process.nextTick(() => {
    process.nextTick(say('in'));
    words.push('order');
  });

  const end = performance.now() + 3; // So that the timer is due when the loop comes to it.
  while (performance.now() < end);
  words.push('the');
  await null;
  words.push('write');
});

process.on('exit', () => console.log([...words, 'runs'].join(' ')));
