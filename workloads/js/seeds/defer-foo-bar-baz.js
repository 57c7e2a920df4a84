// title: setTimeout(bar, 0) defers bar until everything else has run.
// shows: The timer is looked at by the loop, and the loop has its turn when the script has
//   returned.
// see: foo, baz, bar.
// source: event loop introduction
// claim: A timer of 0 expires at once.
// fact: Node makes any delay below 1 a millisecond.
// since: always so in Node
'use strict';

const bar = () => console.log('bar');
const baz = () => console.log('baz');

function foo() {
  console.log('foo');
  setTimeout(bar, 0);
  baz();
}

foo();
