// title: The function given to new Promise runs at once, before new Promise returns.
// shows: Only what is given to then waits for the end of the script.
// see: before, executor, after, then.
// source: Lambda and event loop article, 2019
// claim: The function given to new Promise is sent to the task queue and runs when the call stack
//   is empty; only then is its setTimeout called.
// fact: It is called synchronously by the constructor, so the timer is armed before the caller goes
//   on.
// since: ECMAScript 2015, the first version with promises
'use strict';

console.log('before');
const promise = new Promise((resolve) => {
  console.log('executor');
  resolve();
});
promise.then(() => console.log('then'));
console.log('after');
