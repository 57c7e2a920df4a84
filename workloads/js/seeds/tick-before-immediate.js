// title: The names are the wrong way round: nextTick is immediate, setImmediate is the next tick.
// shows: A tick runs as soon as the current callback returns; an immediate once a turn.
// see: The tick queued by each immediate before the next immediate.
// source: event loop workflow article, 2018
'use strict';

for (const name of ['a', 'b', 'c']) {
  setImmediate(() => {
    console.log(`immediate ${name}`);
    process.nextTick(() => console.log(`tick of immediate ${name}`));
  });
}
