// title: The call stack: main calls work and goes on when work has returned.
// shows: Each call pushes a frame, each return pops one. Nothing else runs before the stack is
//   empty: a function runs to its end.
// see: main start, do work, main end.
// source: Lambda and event loop article, 2019
'use strict';

function work() {
  console.log('do work');
}

function main() {
  console.log('main start');
  work();
  console.log('main end');
}

main();
