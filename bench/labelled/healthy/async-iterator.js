// shows: A consumer that reads pages by an async generator, each of which takes 10 ms to come.
// see: healthy; drains of a few jobs.
'use strict';

const { setTimeout: after } = require('node:timers/promises');
const { noStalls } = require('../support/truth');

async function* pages(count) {
  for (let page = 0; page < count; page++) {
    await after(10);
    yield Array.from({ length: 100 }, (_, id) => ({ page, id }));
  }
}

noStalls('healthy', async () => {
  let items = 0;
  for await (const page of pages(200)) for (const item of page) items += item.id;
  if (items === 0) throw new Error('nothing came');
});
