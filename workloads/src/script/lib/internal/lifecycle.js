// The life of a program: its main file, its end, and invocations where it is a handler.
//
// internal.mainSource() -> string or undefined, internal.isLambda().
'use strict';

const process = require('internal/process');
const { uncaught } = require('internal/fatal');

// Status of a program that ends while a top-level `await` waits.
const UNFINISHED = 13;

let unfinished = false;
let exported;

// Called by the host. Returns whether it has failed.
function main() {
  const resolve = require('internal/resolve');
  try {
    const file = resolve.mainFile(process.argv[1]);
    process.argv[1] = file;
    if (resolve.isModule(file)) {
      runModule(file);
    } else {
      exported = require('internal/cjs').runMain(file, internal.mainSource());
    }
  } catch (error) {
    uncaught(error);
  }
  return false;
}

// Node gets to a module by way of the thread pool, and evaluates it in a job.
function runModule(file) {
  const esm = require('internal/esm');
  unfinished = true;
  const done = (namespace) => {
    unfinished = false;
    exported = namespace;
  };
  esm.runMain(file).then(done, (error) => {
    unfinished = false;
    uncaught(error, true);
  });
}

function beforeExit() {
  try {
    process.emit('beforeExit', process.exitCode || 0);
  } catch (error) {
    uncaught(error);
    return true;
  }
  return false;
}

// Called by the host when nothing is left to do. Returns the status.
function exit() {
  if (process._exiting) return process.exitCode || 0;
  process._exiting = true;
  const before = process.exitCode || 0;
  if (unfinished && process.exitCode === undefined) {
    process.exitCode = UNFINISHED;
    internal.writeStderr('Warning: Detected unsettled top-level await\n');
  }
  try {
    process.emit('exit', before);
  } catch (error) {
    uncaught(error);
  }
  return Math.trunc(Number(process.exitCode ?? 0)) || 0;
}

function invoke(id, event, context) {
  return require('internal/lambda').invoke(exported, id, event, context);
}

module.exports = { beforeExit, exit, invoke, main };
