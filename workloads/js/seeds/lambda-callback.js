// title: A Lambda function that answers by its callback, with a timer pending.
// shows: The invocation goes on until the loop is empty, so the timer fires in it. With
//   callbackWaitsForEmptyEventLoop set to false it ends at the callback, and the timer is left to
//   the next invocation.
// see: Under Lambda: main start, timeout start, main end, the callback's line. As a plain script:
//   nothing, as nobody calls the handler.
// args: --ms=5000 The delay.
// args: --wait=1 Whether to wait for an empty loop: 0 or 1.
// source: Lambda and event loop article, 2019
'use strict';

const given = new Map(process.argv.slice(2).map((arg) => arg.split('=')));
const ms = Number(given.get('--ms') ?? 5000);
const wait = Number(given.get('--wait') ?? 1);

function timeout() {
  console.log('timeout start');
  setTimeout(() => {
    console.log(`timeout cb fired after ${ms} ms`);
  }, ms);
}

exports.handler = function main(event, context, callback) {
  console.log('main start');
  context.callbackWaitsForEmptyEventLoop = wait !== 0;
  timeout();
  console.log('main end');
  callback(null, 'done');
};
