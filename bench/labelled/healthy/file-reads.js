// shows: Files that are written and read by promises, four at a time.
// see: healthy; the threads of the pool wait for the disk.
'use strict';

const fs = require('node:fs/promises');
const os = require('node:os');
const path = require('node:path');
const { noStalls } = require('../support/truth');

async function work(folder, id, end) {
  const file = path.join(folder, `file-${id}`);
  while (performance.now() < end) {
    await fs.writeFile(file, `text of ${id}`.repeat(1000));
    const text = await fs.readFile(file, 'utf8');
    if (!text.startsWith('text')) throw new Error(`${file} holds something else`);
  }
}

noStalls('healthy', async () => {
  const folder = await fs.mkdtemp(path.join(os.tmpdir(), 'labelled-'));
  const end = performance.now() + 2000;
  await Promise.all([1, 2, 3, 4].map((id) => work(folder, id, end)));
  await fs.rm(folder, { recursive: true });
});
