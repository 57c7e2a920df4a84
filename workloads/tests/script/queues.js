'use strict';
// Queues that grow and slots that are used again.

function log(...values) {
  console.log(...values);
}

// More ticks than the queue begins with, some put in while it is in the middle.
function ticks(done) {
  const ran = [];
  for (let i = 0; i < 50; i++) process.nextTick((n) => ran.push(n), i);
  process.nextTick(() => {
    for (let i = 50; i < 250; i++) {
      process.nextTick((n, m) => ran.push(n + m), i, 0);
      if (i % 40 === 0) process.nextTick(() => process.nextTick(() => ran.push(-i)));
    }
    process.nextTick(() => queueMicrotask(() => {
      log('ticks', ran.length, ran.slice(0, 250).every((n, at) => n === at), ran.slice(250));
      done();
    }));
  });
}

// What has run or was cleared has no say in what stands in its slot now.
function timers(done) {
  const ran = [];
  const cleared = setTimeout(() => ran.push('cleared'), 1);
  clearTimeout(cleared);
  const second = setTimeout(() => ran.push('second'), 1);
  clearTimeout(cleared);
  cleared.unref();
  cleared.refresh();
  const third = setTimeout(() => {
    ran.push('third');
    const fourth = setTimeout(() => ran.push('fourth'), 1);
    clearTimeout(second);
    clearTimeout(third);
    third.unref();
    log('held', fourth.hasRef(), third.hasRef(), second.hasRef());
  }, 2);
  setTimeout(() => {
    log('timers', ran, cleared._destroyed, second._destroyed);
    done();
  }, 30);
}

function immediates(done) {
  const ran = [];
  const cleared = setImmediate(() => ran.push('cleared'));
  clearImmediate(cleared);
  const first = setImmediate(() => {
    ran.push('first');
    const second = setImmediate(() => ran.push('second'));
    clearImmediate(first);
    clearImmediate(cleared);
    first.unref();
    log('held', first.hasRef(), second.hasRef(), cleared.hasRef());
  });
  setTimeout(() => {
    log('immediates', ran);
    done();
  }, 20);
}

function refreshed(done) {
  let left = 3;
  const ran = [];
  const once = setTimeout(() => {
    ran.push(`once ${left}`);
    if (--left > 0) once.refresh();
  }, 1);
  const number = +once;
  const stopped = setTimeout(() => {
    ran.push('stopped');
    clearTimeout(stopped);
    stopped.refresh();
  }, 1);
  let turns = 0;
  const interval = setInterval(() => {
    interval.refresh();
    if (++turns === 3) clearInterval(interval);
  }, 1);
  const byNumber = setTimeout(() => byNumber.refresh(), 1);
  const known = +byNumber;
  setTimeout(() => clearTimeout(known), 10);
  setTimeout(() => {
    log('refreshed', ran.join(), turns, +once === number, byNumber._destroyed);
    done();
  }, 60);
}

const steps = [ticks, timers, immediates, refreshed];
(function next() {
  steps.shift()?.(next);
})();
