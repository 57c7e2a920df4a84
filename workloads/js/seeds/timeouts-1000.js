// title: A thousand timers of 0 ms, each armed by the one before.
// shows: Each is made 1 ms long, and the loop waits for it in the poll, idle.
// see: An execution time of a second or more.
// args: --count=1000 Calls of foo.
// source: event loop workflow article, 2018
// claim: It takes that long because comparing times and registering timers is a CPU-intensive task;
//   the poll never waits.
// fact: It takes that long because each timer is 1 ms, which the poll waits for: 999 times at least
//   1 ms. The CPU is idle.
// since: always so
'use strict';

const given = new Map(process.argv.slice(2).map((arg) => arg.split('=')));
const count = Number(given.get('--count') ?? 1000);

let i = 0;
const start = performance.now();
function foo() {
  i++;
  if (i < count) {
    setTimeout(foo, 0);
  } else {
    console.log('Execution time:', Math.round(performance.now() - start), 'ms');
  }
}
foo();
