// title: The baseline: a script that arms a timer of 5 seconds and does not wait for it.
// shows: main ends at once; the process lives on until the timer has fired, because it keeps the
//   loop alive.
// see: main start, timeout start, main end, and 5 seconds later the callback's line.
// args: --ms=5000 The delay.
// source: Lambda and event loop article, 2019
'use strict';

const given = new Map(process.argv.slice(2).map((arg) => arg.split('=')));
const ms = Number(given.get('--ms') ?? 5000);

function timeout() {
  console.log('timeout start');
  return new Promise((resolve) => {
    setTimeout(() => {
      console.log(`timeout cb fired after ${ms} ms`);
      resolve();
    }, ms);
  });
}

async function main() {
  console.log('main start');
  timeout();
  console.log('main end');
}

main();
