// title: The baseline as an AWS Lambda function.
// shows: The invocation ends when the handler's promise settles, with the timer still pending.
//   Lambda freezes the process, and the timer fires in the next invocation, if there is one.
// see: Under Lambda: the callback's line of the first invocation as the first line of the second.
//   As a plain script: nothing, as nobody calls the handler.
// args: --ms=5000 The delay.
// source: Lambda and event loop article, 2019
// claim: The runtime waits until the event loop is empty, and a loop with only a timer pending
//   counts as empty.
// fact: A handler that returns a promise ends its invocation when that settles; only one that uses
//   the callback waits for the loop to be empty (callbackWaitsForEmptyEventLoop), and a pending
//   timer keeps it from that.
// since: async handlers, Node 8.10 on Lambda
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

exports.handler = main;
