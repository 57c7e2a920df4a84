// title: A timer armed in an exit handler never fires.
// shows: When nothing keeps the loop alive it ends, and exit handlers run behind it. A timer that
//   one of them arms is armed indeed, and nobody looks at it any more.
// see: Four lines, and not that of the timer.
'use strict';

setTimeout(() => console.log('timers: the last one'), 1);

process.on('exit', () => {
  console.log('exit: the loop has ended');
  setTimeout(() => console.log('timers: the one of the exit handler'), 1);
  console.log('exit: a timer of 1 ms armed');
  const end = performance.now() + 5;
  while (performance.now() < end);
  console.log('exit: 5 ms later it has not fired');
});
