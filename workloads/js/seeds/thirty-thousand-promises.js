// title: 30,000 promises that are settled when they are made, two reactions each, in one loop.
// shows: All reactions go to the microtask queue, which is drained to its end before the loop goes
//   on. A timer of 1 ms that was armed first has to wait for all of them.
// see: 0 reactions when the loop of promises ends, 60,000 when the timer fires.
// args: --count=30000 Promises.
// args: --work-us=0 Busy work in each reaction: with 1000 it takes a minute.
// source: broken promises article
// claim: 30,000 promises settled synchronously in a loop blocked an event loop for over a minute.
// fact: 30,000 of them with two reactions each take some tens of milliseconds. A minute takes 1 ms
//   of work in each reaction, or Promise.race or Promise.all over all that are left each time: see
//   promise-race-pool.
// since: always so
'use strict';

const given = new Map(process.argv.slice(2).map((arg) => arg.split('=')));
const count = Number(given.get('--count') ?? 30000);
const workUs = Number(given.get('--work-us') ?? 0);

let reactions = 0;
function react() {
  const end = performance.now() + workUs / 1000;
  while (performance.now() < end);
  reactions++;
}

setTimeout(() => console.log('reactions when the timer of 1 ms fires:', reactions), 1);
for (let i = 0; i < count; i++) Promise.resolve().then(react).then(react);
console.log('reactions when the loop of promises ends:', reactions);
