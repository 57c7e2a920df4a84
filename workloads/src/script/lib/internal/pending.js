// What is pending, with the line that made it: kept under Lambda, where what one invocation leaves
// runs in the next one.
'use strict';

const { called, frames } = require('internal/stack');
const timers = require('internal/timers');
const { filter, find, includes, map, replace } = require('internal/primordials');

let invocation = 0;

function setInvocation(number) {
  invocation = number;
}

// Has the timers and immediates that are made from now on remember where.
function begin() {
  timers.watch((made) => {
    made.madeIn = invocation;
    made.madeAt = find(frames(called()), (line) => !includes(line, 'node:')) ?? '';
  });
}

function place(line) {
  return replace(line, /^ *at /, '');
}

// What waits, made in an invocation: [what, line, invocation] for each.
function list() {
  const left = filter(timers.waiting(), ({ notes }) => notes !== undefined && notes.madeIn > 0);
  return map(left, ({ what, notes }) => [what, place(notes.madeAt), notes.madeIn]);
}

module.exports = { begin, list, setInvocation };
