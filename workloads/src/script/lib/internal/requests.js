// Requests and handles that the host tells something: each has a number, under which stands what it
// calls.
'use strict';

const waiting = new Map();
let last = 0;

// Something that is told once.
function once(callback) {
  const id = ++last;
  waiting.set(id, (...args) => {
    waiting.delete(id);
    Reflect.apply(callback, undefined, args);
  });
  return id;
}

// Something that is told again and again, until it is forgotten.
function always(callback) {
  const id = ++last;
  waiting.set(id, callback);
  return id;
}

function forget(id) {
  waiting.delete(id);
}

// Called by the host.
function events(id, ...args) {
  const callback = waiting.get(id);
  if (callback === undefined) return false;
  Reflect.apply(callback, undefined, args);
  return false;
}

module.exports = { always, events, forget, once };
