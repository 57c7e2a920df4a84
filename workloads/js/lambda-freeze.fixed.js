// title: The same function, which waits for its timer before it returns.
// fixed: Awaits the timer, so that nothing is pending when Lambda freezes the process.
// see: No timer pending when the handler returns, in each invocation.
// args: --delay-ms=100 The delay of the timer.
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
  await sendMetrics();
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
    workload: 'lambda-freeze', fixed: true,
    cause: 'healthy',
    function: null, blocks_ms: [], longest_drain: null,
  } }));
});
