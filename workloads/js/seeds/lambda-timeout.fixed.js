// title: The Lambda function that awaits its timer.
// shows: Nothing is pending when the handler's promise settles, so nothing is left for the next
//   invocation.
// see: Under Lambda: main start, timeout start, the callback's line, main end, in each invocation.
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
  await timeout();
  console.log('main end');
}

exports.handler = main;
