'use strict';

// Turns of a loop, each with so much work; prints the CPU time of a turn in microseconds.
//
//   node work.js TURNS OBJECTS
//
// A turn parses OBJECTS objects and awaits three times, as a handler does.

const [turns, objects] = process.argv.slice(2).map(Number);
const list = Array.from({ length: objects }, (_, id) => ({ id, name: `object ${id}` }));
const text = JSON.stringify(list);
let left = turns;

async function handler() {
  await null;
  const parsed = JSON.parse(text);
  await null;
  parsed.reverse();
  await null;
}

function turn() {
  handler().then(() => {
    left -= 1;
    if (left > 0) {
      setImmediate(turn);
      return;
    }
    const used = process.cpuUsage(start);
    console.log((used.user + used.system) / turns);
  });
}

const start = process.cpuUsage();
turn();
