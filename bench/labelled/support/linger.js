'use strict';

// What a program does at its exit lies in its last turn, and so in the stall before: no poll lies
// between them. A server goes on: so does a program that loads this, for one turn more.

process.once('beforeExit', () => { setImmediate(() => {}); });
