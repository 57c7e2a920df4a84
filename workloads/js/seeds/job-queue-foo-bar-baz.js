// title: The job queue: the reaction of a settled promise runs right behind the current function.
// shows: A timer's callback waits for the loop; a promise's reaction waits for the end of the
//   script only.
// see: foo, baz, the promise's line, bar.
// source: event loop introduction
'use strict';

const bar = () => console.log('bar');
const baz = () => console.log('baz');

function foo() {
  console.log('foo');
  setTimeout(bar, 0);
  new Promise((resolve) => {
    resolve('promise: right behind baz, before bar');
  }).then((text) => console.log(text));
  baz();
}

foo();
