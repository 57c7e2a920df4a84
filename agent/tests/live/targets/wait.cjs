'use strict';

// Waits for ever, and tells before that who called: what V8 itself says.
const cell = new Int32Array(new SharedArrayBuffer(4));

function sites(error, calls) {
  return calls.filter((call) => !call.isAsync()).map((call) => ({
    name: call.getFunctionName(),
    file: call.isEval() && !call.getFileName() ? null : call.getFileName(),
    line: call.getLineNumber(),
    column: call.getColumnNumber(),
  }));
}

function tell() {
  const { prepareStackTrace } = Error;
  Error.prepareStackTrace = sites;
  Error.stackTraceLimit = 50;
  const { stack } = new Error();
  Error.prepareStackTrace = prepareStackTrace;
  process._rawDebug(JSON.stringify(stack.slice(2)));
}

exports.ms = 0;

exports.wait = function wait() {
  if (exports.ms > 0) tell();
  Atomics.wait(cell, 0, 0, exports.ms);
};

exports.open = function open() {
  tell();
  require('node:fs').openSync(process.argv[3]);
};

// The next call is the one that waits.
exports.ready = function ready() {
  exports.ms = 100_000;
};
