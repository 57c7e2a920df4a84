// AWS Lambda's runtime: calls the exported handler, notes when its invocation ends, and knows what
// is left pending then, with the lines that made it.
//
// internal.lambdaEnds(whenEmpty, failed, text): the invocation has a result.
// internal.hrtime() -> nanoseconds.
'use strict';

const process = require('internal/process');
const pending = require('internal/pending');
const { padStart } = require('internal/primordials');

// What Lambda gives a function unless it is told otherwise.
const TIMEOUT_MS = 3000;
const NO_HANDLER = 'exports no function named handler; export one as exports.handler';

// The handler may be exported late, by a module that waits at its top level.
let ready = Promise.resolve();
let exported;

function find() {
  const found = exported?.exports ?? exported;
  return found?.handler ?? found?.default?.handler;
}

function setExported(value) {
  exported = value;
}

function setReady(promise) {
  ready = promise;
}

function remainingMs(beganNs) {
  return Math.max(0, TIMEOUT_MS - Math.round((internal.hrtime() - beganNs) / 1e6));
}

function failure(error) {
  const { inspect } = require('internal/inspect');
  return error instanceof Error ? `${error.name}: ${error.message}` : inspect(error);
}

class Invocation {
  constructor(number) {
    this.ended = false;
    const beganNs = internal.hrtime();
    this.context = {
      callbackWaitsForEmptyEventLoop: true,
      functionName: 'handler',
      functionVersion: '$LATEST',
      invokedFunctionArn: 'arn:aws:lambda:local:000000000000:function:handler',
      memoryLimitInMB: '128',
      awsRequestId: `00000000-0000-4000-8000-${padStart(String(number), 12, '0')}`,
      logGroupName: '/aws/lambda/handler',
      logStreamName: 'loopscope',
      getRemainingTimeInMillis: () => remainingMs(beganNs),
      done: (error, result) => this.callback(error, result),
      succeed: (result) => this.succeed(false, result),
      fail: (error) => this.fail(false, error ?? 'failed'),
    };
  }

  // A result by callback waits for an empty loop, unless the context says otherwise.
  callback(error, result) {
    const whenEmpty = Boolean(this.context.callbackWaitsForEmptyEventLoop);
    if (error === undefined || error === null) this.succeed(whenEmpty, result);
    else this.fail(whenEmpty, error);
  }

  // A result that JSON can't tell is a failure.
  succeed(whenEmpty, result) {
    let text;
    try {
      text = JSON.stringify(result) ?? 'null';
    } catch (error) {
      this.fail(whenEmpty, error);
      return;
    }
    this.end(whenEmpty, false, text);
  }

  fail(whenEmpty, error) {
    this.end(whenEmpty, true, failure(error));
  }

  end(whenEmpty, failed, text) {
    if (this.ended) return;
    this.ended = true;
    internal.lambdaEnds(whenEmpty, failed, text);
  }

  start(event) {
    const handler = find();
    if (typeof handler !== 'function') {
      this.fail(false, new TypeError(`${process.argv[1]} ${NO_HANDLER}`));
      return;
    }
    const callback = (error, result) => this.callback(error, result);
    try {
      const returned = handler(event, this.context, callback);
      if (typeof returned?.then === 'function') {
        returned.then((result) => this.succeed(false, result), (error) => this.fail(false, error));
      }
    } catch (error) {
      this.fail(false, error);
    }
  }
}

let current;

// Called by the host. Returns whether it has failed.
function invoke(number, eventText) {
  pending.setInvocation(number);
  // What an earlier one says now is no result of this one.
  if (current !== undefined) current.ended = true;
  const invocation = new Invocation(number);
  current = invocation;
  const start = () => invocation.start(JSON.parse(eventText));
  if (exported === undefined) ready.then(start);
  else start();
  return false;
}

module.exports = { invoke, setExported, setReady };
