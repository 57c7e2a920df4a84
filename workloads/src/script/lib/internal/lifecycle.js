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

function invoke(number, event) {
  return lambda.invoke(number, event);
}

// What an invocation has left: [what, line, invocation] for each.
function pending() {
  return require('internal/pending').list();
}

module.exports = { beforeExit, exit, invoke, main, pending };
