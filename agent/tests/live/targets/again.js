// Becomes another program in the same process at `go`: the one named by its first argument, with
// the Node that runs it, or whatever the first argument is where it is no script. Node 24 can.
'use strict';

const { target } = require('./target.js');

const [, , what, ...rest] = process.argv;
const program = what.endsWith('.js') ? process.execPath : what;
const args = what.endsWith('.js') ? [what, ...rest] : rest;

target({
  go: () => process.execve(program, [program, ...args], process.env),
  truth: () => ({}),
});
