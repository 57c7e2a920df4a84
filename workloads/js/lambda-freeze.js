// title: A function for AWS Lambda that returns with a timer pending.
// wrong: The handler arms a timer and does not wait for it. Lambda freezes the process when the
//   handler's promise settles and thaws it for the next invocation: the timer fires there, late by
//   the gap. When no invocation follows, it never fires.
// see: Under Lambda, the timer of the first invocation before the second one begins, and frozen
//   time. Run as a plain script it only tells how many timers were pending when the handler
//   returned.
// args: --delay-ms=100 The delay of the timer.
// fixed: Awaits the timer, so that nothing is pending when Lambda freezes the process.
'use strict';

const given = new Map(process.argv.slice(2).map((arg) => arg.split('=')));
const delayMs = Number(given.get('--delay-ms') ?? 100);

let pending = 0;
const lateMs = [];

function sendMetrics() {
  const due = performance.now() + delayMs;
  pending++;
  return new Promise((resolve) => {
    setTimeout(() => {
      pending--;
      lateMs.push(+(performance.now() - due).toFixed(1));
      resolve();
    }, delayMs);
  });
}

const pendingAtReturn = [];
exports.handler = async function handler() {
  sendMetrics();
  pendingAtReturn.push(pending);
  return 'done';
};

// As a plain script: one invocation, and a process that nobody freezes.
if (require.main === module) exports.handler();

process.on('exit', () => {
  console.log(JSON.stringify({
    seen: { pending_at_return: pendingAtReturn, timers_late_ms: lateMs },
  }));
  console.log(JSON.stringify({ truth: {
    workload: 'lambda-freeze', fixed: false,
    cause: lateMs.some((ms) => ms >= 50) ? 'frozen' : 'healthy',
    function: null, blocks_ms: [], longest_drain: null,
  } }));
});
