'use strict';
// Cases of `EventTarget`, `Event`, `AbortController`, `AbortSignal` and `DOMException`.

const util = require('util');

// Runs a scene with the library and a log; the log is what is compared. What listeners throw
// arrives as uncaught errors, warnings are caught before they are printed.
const scene = (run) => async (library) => {
  const log = [];
  const add = (...words) => log.push(words.map(String).join(' '));
  const before = process.emitWarning;
  process.emitWarning = (w) => add(w.name, w.message, w.type, w.count);
  process.setUncaughtExceptionCaptureCallback((error) => add('uncaught', error));
  try {
    await run(library, add);
    await new Promise(setImmediate);
    await new Promise(setImmediate);
  } finally {
    process.setUncaughtExceptionCaptureCallback(null);
    process.emitWarning = before;
  }
  return log;
};

const SCENES = {
  'order, once and repetition': ({ EventTarget, Event }, log) => {
    const target = new EventTarget();
    const listener = (event) => log(event.type, event.target === target, event.eventPhase);
    target.addEventListener('a', listener);
    target.addEventListener('a', listener);
    target.addEventListener('a', listener, { capture: true });
    target.addEventListener('a', () => log('once'), { once: true });
    log(target.dispatchEvent(new Event('a')));
    log(target.dispatchEvent(new Event('a')));
    target.removeEventListener('a', listener);
    target.dispatchEvent(new Event('a'));
  },
  'handleEvent': ({ EventTarget, Event }, log) => {
    const target = new EventTarget();
    const object = { handleEvent(event) { log(this === object, event.type); } };
    target.addEventListener('a', object);
    target.addEventListener('a', {});
    target.dispatchEvent(new Event('a'));
    object.handleEvent = () => log('changed');
    target.dispatchEvent(new Event('a'));
  },
  'a listener that throws': ({ EventTarget, Event }, log) => {
    const target = new EventTarget();
    target.addEventListener('a', () => {
      throw new Error('thrown');
    });
    target.addEventListener('a', async () => {
      throw new Error('rejected');
    });
    target.addEventListener('a', () => log('second'));
    process.nextTick(() => log('tick before'));
    target.dispatchEvent(new Event('a'));
    process.nextTick(() => log('tick after'));
    log('dispatched');
  },
  'added while dispatching': ({ EventTarget, Event }, log) => {
    const target = new EventTarget();
    target.addEventListener('a', () => target.addEventListener('a', () => log('added')));
    target.addEventListener('a', () => log('last'));
    target.dispatchEvent(new Event('a'));
  },
  'added by the last': ({ EventTarget, Event }, log) => {
    const target = new EventTarget();
    target.addEventListener('a', () => target.addEventListener('a', () => log('added')));
    target.dispatchEvent(new Event('a'));
    log('second');
    target.dispatchEvent(new Event('a'));
  },
  'removed while dispatching': ({ EventTarget, Event }, log) => {
    const target = new EventTarget();
    const later = () => log('later');
    target.addEventListener('a', () => target.removeEventListener('a', later));
    target.addEventListener('a', later);
    target.addEventListener('a', () => log('last'));
    target.dispatchEvent(new Event('a'));
  },
  'stopImmediatePropagation': ({ EventTarget, Event }, log) => {
    const target = new EventTarget();
    target.addEventListener('a', (event) => event.stopImmediatePropagation());
    target.addEventListener('a', () => log('never'));
    target.addEventListener('a', () => log('passive'), { passive: true });
    target.dispatchEvent(new Event('a'));
  },
  'preventDefault': ({ EventTarget, Event }, log) => {
    const target = new EventTarget();
    target.addEventListener('a', (event) => event.preventDefault());
    for (const cancelable of [true, false]) {
      const event = new Event('a', { cancelable });
      log(target.dispatchEvent(event), event.defaultPrevented, event.returnValue);
    }
  },
  'recursion': ({ EventTarget, Event }, log) => {
    const target = new EventTarget();
    target.addEventListener('a', (event) => target.dispatchEvent(event));
    target.dispatchEvent(new Event('a'));
    log('dispatched');
  },
  'a signal removes': ({ EventTarget, Event, AbortController }, log) => {
    const target = new EventTarget();
    const controller = new AbortController();
    target.addEventListener('a', () => log('a'), { signal: controller.signal });
    target.dispatchEvent(new Event('a'));
    controller.abort();
    target.dispatchEvent(new Event('a'));
    target.addEventListener('a', () => log('never'), { signal: controller.signal });
    target.dispatchEvent(new Event('a'));
  },
  'wrong arguments': ({ EventTarget }, log) => {
    const target = new EventTarget();
    const listener = () => {};
    const attempts = [
      () => target.addEventListener('a'), () => target.addEventListener('a', null),
      () => target.addEventListener('a', 5), () => target.addEventListener('a', 'x'),
      () => target.addEventListener('a', listener, 5),
      () => target.addEventListener('a', listener, { signal: {} }),
      () => target.addEventListener('a', listener, { signal: null }),
      () => target.removeEventListener('a'), () => target.dispatchEvent(),
      () => target.dispatchEvent({}), () => target.dispatchEvent('a'),
      () => target.addEventListener.call({}, 'a', listener),
      () => target.addEventListener(Symbol('s'), listener),
    ];
    for (const attempt of attempts) {
      try {
        log(attempt());
      } catch (error) {
        log(error.name, error.code, error.message);
      }
    }
  },
  'a leak': ({ EventTarget, events }, log) => {
    const target = new EventTarget();
    for (let i = 0; i < 12; i++) target.addEventListener('a', () => i);
    const other = new EventTarget();
    events.setMaxListeners(1, other);
    other.addEventListener('b', () => 1);
    other.addEventListener('b', () => 2);
    log(events.getMaxListeners(other), events.getEventListeners(other, 'b').length);
  },
  'events': ({ Event, CustomEvent }, log) => {
    const event = new Event('a', { bubbles: 1, composed: 0 });
    log(event.type, event.bubbles, event.cancelable, event.composed, event.isTrusted);
    log(event.target, event.currentTarget, event.srcElement, event.composedPath().length);
    event.cancelBubble = true;
    log(event.cancelBubble, event.eventPhase, Event.AT_TARGET, typeof event.timeStamp);
    event.initEvent('b', false, true);
    log(event.type, event.cancelable, Object.prototype.toString.call(event));
    log(new CustomEvent('c', { detail: 5 }).detail, new CustomEvent('c').detail);
    const keys = [];
    for (const key in event) keys.push(key);
    log(keys.sort());
    log(util.inspect(event).replace(/timeStamp: [\d.]+/, 'timeStamp'));
  },
  'events of nothing': ({ Event }) => new Event(),
  'events of a symbol': ({ Event }) => new Event(Symbol('x')),
  'events with wrong options': ({ Event }) => new Event('a', 5),
  'abort': ({ AbortController }, log) => {
    const controller = new AbortController();
    const { signal } = controller;
    signal.onabort = (event) => log('onabort', event.type, event.isTrusted);
    signal.addEventListener('abort', () => log('listener', signal.aborted, signal.reason));
    log(signal.aborted, signal.reason, util.inspect(signal), util.inspect(controller));
    controller.abort();
    controller.abort(new Error('second'));
    log(signal.reason.name, signal.reason.code, signal.reason.message);
    try {
      signal.throwIfAborted();
    } catch (error) {
      log(error === signal.reason, error instanceof Error);
    }
  },
  'onabort changed': ({ AbortController }, log) => {
    const controller = new AbortController();
    const { signal } = controller;
    signal.onabort = () => log(1);
    signal.addEventListener('abort', () => log(2));
    signal.onabort = () => log(3);
    log(typeof signal.onabort);
    controller.abort();
    signal.onabort = null;
    log(signal.onabort);
  },
  'abort with a reason': ({ AbortController, AbortSignal }, log) => {
    const controller = new AbortController();
    controller.abort('why');
    log(controller.signal.reason, AbortSignal.abort(5).reason, AbortSignal.abort().reason.name);
    log(AbortSignal.abort(null).reason, AbortSignal.abort().aborted);
  },
  'any': ({ AbortController, AbortSignal }, log) => {
    const [one, two] = [new AbortController(), new AbortController()];
    const any = AbortSignal.any([one.signal, two.signal]);
    const nested = AbortSignal.any([any]);
    nested.addEventListener('abort', () => log('nested', nested.reason));
    any.addEventListener('abort', () => log('any', any.reason));
    two.signal.addEventListener('abort', () => log('two'));
    two.abort('2');
    one.abort('1');
    log(any.reason, nested.aborted, AbortSignal.any([]).aborted);
    log(AbortSignal.any([AbortSignal.abort('first'), AbortSignal.abort('second')]).reason);
  },
  'any of what is none': ({ AbortSignal }) => AbortSignal.any([{}]),
  'any of nothing': ({ AbortSignal }) => AbortSignal.any([undefined]),
  'any of null': ({ AbortSignal }) => AbortSignal.any(null),
  'timeout': async ({ AbortSignal }, log) => {
    const signal = AbortSignal.timeout(2);
    await new Promise((resolve) => {
      const alive = setTimeout(resolve, 1000);
      signal.addEventListener('abort', () => {
        clearTimeout(alive);
        resolve();
      });
    });
    log(signal.reason.name, signal.reason.code, signal.reason.message);
  },
  'new AbortSignal': ({ AbortSignal }) => new AbortSignal(),
  'a foreign this': ({ AbortSignal }) => AbortSignal.prototype.throwIfAborted.call({}),
  'DOMException': ({ DOMException }, log) => {
    for (const name of ['AbortError', 'TimeoutError', 'SyntaxError', 'ValidationError', 'Own']) {
      const error = new DOMException('text', name);
      log(error.name, error.code, error.message, error instanceof Error, String(error));
    }
    log(new DOMException().name, new DOMException('m', { name: 'N', cause: 3 }).cause);
    log(DOMException.ABORT_ERR, DOMException.DATA_CLONE_ERR, new DOMException().ABORT_ERR);
    log(Object.prototype.toString.call(new DOMException()), typeof new DOMException().stack);
    log(Object.keys(DOMException).join());
  },
};

// A random life of a target: listeners that log, and some that change what is there.
function life(random) {
  const plan = Array.from({ length: 30 }, () => [
    random.below(8), random.pick(['a', 'b']), random.below(5), random.below(2) === 1,
  ]);
  return scene(({ EventTarget, Event }, log) => {
    const target = new EventTarget();
    // Of acts within listeners, so that a life ends.
    let left = 30;
    const act = ([action, type, who, capture]) => {
      const listener = listeners[who];
      if (action < 2) target.addEventListener(type, listener, { capture });
      else if (action < 4) target.addEventListener(type, listener, { capture, once: true });
      else if (action < 6) target.removeEventListener(type, listener, { capture });
      else log(target.dispatchEvent(new Event(type, { cancelable: capture })));
    };
    const listeners = [0, 1, 2, 3, 4].map((id) => (event) => {
      log(id, event.type, event.currentTarget === target);
      if (id === 0) event.preventDefault();
      if (id === 1 && left % 3 === 0) event.stopImmediatePropagation();
      if (id < 2 || left === 0) return;
      left--;
      act(plan[(id * 7 + left) % plan.length]);
    });
    plan.forEach(act);
  });
}

module.exports = async (suite) => {
  for (const [label, run] of Object.entries(SCENES)) await suite.check(label, scene(run));
  const delays = [-1, 1.5, NaN, '1', undefined, null, 2 ** 32, {}];
  await suite.table('timeout', delays, ({ AbortSignal }, delay) => AbortSignal.timeout(delay));
  for (let i = 0; i < 300; i++) await suite.check(`life ${i}`, life(suite.random));
};
