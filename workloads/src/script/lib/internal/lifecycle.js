// The life of a program: its main file, its end, and invocations where it is a handler.
//
// internal.mainSource() -> string or undefined, internal.isLambda().
'use strict';

const process = require('internal/process');
const { uncaught } = require('internal/fatal');

// Status of a program that ends while a top-level `await` waits.
const UNFINISHED = 13;

let unfinished = false;
const lambda = internal.isLambda() ? require('internal/lambda') : undefined;

// Called by the host.
function main() {
  const resolve = require('internal/resolve');
  const file = resolve.mainFile(process.argv[1]);
  process.argv[1] = file;
  if (lambda !== undefined) require('internal/pending').begin();
  if (resolve.isModule(file)) {
    runModule(file);
  } else {
    const module = require('internal/cjs').runMain(file, internal.mainSource());
    lambda?.setExported(module);
  }
  return false;
}

// Node gets to a module by way of the thread pool, and evaluates it in a job.
function runModule(file) {
  const loader = require('internal/esm_loader');
  unfinished = true;
  const done = (namespace) => {
    unfinished = false;
    lambda?.setExported(namespace);
  };
  const ran = loader.runMain(file, done, (error) => {
    unfinished = false;
    uncaught(error, true);
  });
  lambda?.setReady(ran);
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

// Called by the host when nothing is left to do, and once more behind what that has queued. Returns
// the status, or that a handler has thrown. A `process.exit` whose handlers threw has not ended it.
let exited = false;

function exit() {
  if (exited) return Math.trunc(Number(process.exitCode ?? 0)) || 0;
  exited = true;
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
    return true;
  }
  return Math.trunc(Number(process.exitCode ?? 0)) || 0;
}

function invoke(number, event) {
  return lambda.invoke(number, event);
}

// What an invocation has left: [what, line, invocation] for each.
function pending() {
  return require('internal/pending').list();
}

module.exports = { beforeExit, exit, invoke, main, pending };
