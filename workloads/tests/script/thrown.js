// Throws what is no error, in the way that the argument names. The line is marked with that name.
'use strict';

const fs = require('fs');

const swallowed = () => {
  throw 'swallowed';
};
const ways = {
  text() {
    throw 'x'; // text
  },
  object() {
    throw { a: 1, b: 'two' }; // object
  },
  function() {
    throw () => {}; // function
  },
  again() {
    try {
      throw 'first';
    } catch (error) {
      throw error; // again
    }
  },
  list() {
    [3, 1].map((value) => { throw value; }); // list
  },
  promise() {
    new Promise(swallowed).catch(() => {});
    (async () => swallowed())().catch(() => {});
    throw null; // promise
  },
  tick() {
    process.nextTick(() => {
      throw undefined; // tick
    });
  },
  timer() {
    setTimeout(() => { if (fs) { throw 42; } }, 1); // timer
  },
  immediate() {
    setImmediate(() => {
      throw true; // immediate
    });
  },
  request() {
    fs.stat('.', () => {
      throw 1n; // request
    });
  },
  handled() {
    process.on('uncaughtException', (error) => console.log('handled', error));
    process.nextTick(() => console.log('the next tick'));
    const interval = setInterval(() => {
      clearInterval(interval);
      throw 'in a timer';
    }, 1);
    process.nextTick(swallowed);
    setImmediate(swallowed);
    throw 'in the program';
  },
};

ways[process.argv[2]]();
