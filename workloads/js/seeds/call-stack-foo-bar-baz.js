// title: The call stack: foo calls bar, then baz.
// shows: bar has returned, and its frame is gone, before baz is called.
// see: foo, bar, baz.
// source: event loop introduction
// claim: The event loop looks at the call stack again and again for functions to run.
// fact: The engine runs the whole stack to its end on its own; the loop calls into it and waits
//   until that call returns.
// since: always so
'use strict';

const bar = () => console.log('bar');
const baz = () => console.log('baz');

function foo() {
  console.log('foo');
  bar();
  baz();
}

foo();
