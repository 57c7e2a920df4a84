// title: foo calls bar by setTimeout(0), settles a promise and calls baz: foo baz promise bar.
// shows: A function runs to its end before anything else does. Reactions of promises that are
//   settled by then follow right behind it, those that they queue included, in the same drain. A
//   timer of 0 ms waits for the loop.
// see: foo, baz, the two reactions, bar.
'use strict';

const bar = () => console.log('bar');
const baz = () => console.log('baz');

function foo() {
  console.log('foo');
  setTimeout(bar, 0);
  Promise.resolve()
    .then(() => console.log('promise: right after baz, before bar'))
    .then(() => console.log('promise: queued by a promise'));
  baz();
}

foo();
