// Requests and handles that the host tells something: each has a number, under which stands what it
// calls.
'use strict';

const { uncaught } = require('internal/fatal');

const waiting = new Map();
let last = 0;

// Something that is told once.
function once(callback) {
  const id = ++last;
  waiting.set(id, (...args) => {
    waiting.delete(id);
    callback(...args);
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

// Called by the host. Returns whether the callback has failed.
function events(id, ...args) {
  const callback = waiting.get(id);
  if (callback === undefined) return false;
  try {
    callback(...args);
  } catch (error) {
    uncaught(error);
    return true;
  }
  return false;
}

module.exports = { always, events, forget, once };
