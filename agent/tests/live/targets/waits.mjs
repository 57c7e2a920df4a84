// Waits in the code of a module, or in a function of it.
import waiting from './wait.cjs';

const { ready, wait } = waiting;

function esm() {
  wait();
}

export default class Shop {
  async order() {
    await null;
    wait();
  }
}

ready();
if (process.argv[2] === 'esm') esm();
if (process.argv[2] === 'later') await new Shop().order();
if (process.argv[2] === 'top') wait();
await null;
wait();
