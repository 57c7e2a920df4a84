// What fails takes two jobs more than what does not.
'use strict';

const fs = require('fs');
process.on('uncaughtException', async () => {
  for (let job = 1; job <= 12; job++) {
    await null;
    console.log('job', job);
  }
});
process.nextTick(() => {
  throw new Error('leaves the jobs to the poll');
});
fs.promises.stat('missing').catch((error) => console.log(error.code));
const end = Date.now() + 12;
while (Date.now() < end);
