'use strict';
// A fixed amount of work in turns of some milliseconds, made longer by a share of it.
// usage: node work.js [--turns=N] [--rounds=N] [--slower=0.2]

const options = new Map(process.argv.slice(2).map((word) => word.replace(/^--/, '').split('=')));
const turns = Number(options.get('turns') ?? 25);
const rounds = Number(options.get('rounds') ?? 50_000);
const slower = Number(options.get('slower') ?? 0);

const each = Math.round(rounds * (1 + slower));
let state = 1;
let left = turns;

function work() {
  for (let round = 0; round < each; round++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    if (state % 61 === 0) state ^= JSON.stringify({ state, round }).length;
  }
}

function turn() {
  work();
  if (--left > 0) setTimeout(turn, 0);
}

setTimeout(turn, 0);
