// AWS Lambda's runtime: calls the exported handler, notes when its invocation ends, and knows what
// is left pending then, with the lines that made it.
//
// internal.lambdaEnds(whenEmpty, failed, text): the invocation has a result.
'use strict';

const process = require('internal/process');
const pending = require('internal/pending');

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

function shown(value) {
  const text = JSON.stringify(value);
  return text === undefined ? 'null' : text;
}

function failure(error) {
  const { inspect } = require('internal/inspect');
  return error instanceof Error ? `${error.name}: ${error.message}` : inspect(error);
}

class Invocation {
  constructor(number, remaining) {
    this.ended = false;
    this.context = {
      callbackWaitsForEmptyEventLoop: true,
      functionName: 'handler',
      functionVersion: '$LATEST',
      invokedFunctionArn: 'arn:aws:lambda:local:000000000000:function:handler',
      memoryLimitInMB: '128',
      awsRequestId: `00000000-0000-4000-8000-${String(number).padStart(12, '0')}`,
      logGroupName: '/aws/lambda/handler',
      logStreamName: 'loopscope',
      getRemainingTimeInMillis: () => remaining,
      done: (error, result) => this.callback(error, result),
      succeed: (result) => this.end(false, undefined, result),
      fail: (error) => this.end(false, error ?? 'failed'),
    };
  }

  // A result by callback waits for an empty loop, unless the context says otherwise.
  callback(error, result) {
    this.end(this.context.callbackWaitsForEmptyEventLoop, error, result);
  }

  end(whenEmpty, error, result) {
    if (this.ended) return;
    this.ended = true;
    const failed = error !== undefined && error !== null;
    internal.lambdaEnds(Boolean(whenEmpty), failed, failed ? failure(error) : shown(result));
  }

  start(event) {
    const handler = find();
    if (typeof handler !== 'function') {
      this.end(false, new TypeError(`${process.argv[1]} ${NO_HANDLER}`));
      return;
    }
    const callback = (error, result) => this.callback(error, result);
    const returned = handler(event, this.context, callback);
    if (typeof returned?.then === 'function') {
      returned.then((result) => this.end(false, undefined, result),
        (error) => this.end(false, error));
    }
  }
}

// Called by the host. Returns whether it has failed.
function invoke(number, eventText) {
  const { uncaught } = require('internal/fatal');
  pending.setInvocation(number);
  const invocation = new Invocation(number, 3000);
  const start = () => invocation.start(JSON.parse(eventText));
  if (exported === undefined) {
    ready.then(start).catch((error) => uncaught(error, true));
    return false;
  }
  try {
    start();
  } catch (error) {
    invocation.end(false, error);
  }
  return false;
}

module.exports = { invoke, setExported, setReady };
