'use strict';
// Cases of `events`: single scenes, and random lives of an emitter.

const util = require('util');

const noop = () => {};

// Runs a scene with an emitter and a log; the log is what is compared.
const scene = (run) => async (EventEmitter) => {
  const log = [];
  await run(new EventEmitter(), (...words) => log.push(words.join(' ')), EventEmitter);
  return log;
};

const SCENES = {
  'error without a listener, no argument': (e) => e.emit('error'),
  'error without a listener, an error': (e) => e.emit('error', new RangeError('x')),
  'error without a listener, an object': (e) => e.emit('error', { a: 1 }),
  'error without a listener, a string': (e) => e.emit('error', 'text'),
  'the context of an unhandled error': (e, log) => {
    try {
      e.emit('error', 42);
    } catch (error) {
      log(error.context, error.code);
    }
  },
  'monitor': (e, log, { errorMonitor }) => {
    e.on(errorMonitor, (error) => log('monitor', error.message));
    e.emit('error', new Error('x'));
  },
  'listeners added and removed while emitting': (e, log) => {
    const late = () => log('late');
    e.on('a', () => e.on('a', late));
    e.on('a', () => e.removeListener('a', third));
    const third = () => log('third');
    e.on('a', third);
    e.emit('a');
    e.emit('a');
  },
  'newListener comes before': (e, log) => {
    e.once('newListener', (name) => e.on(name, () => log('B')));
    e.on('a', () => log('A'));
    e.emit('a');
  },
  'newListener shows what once wraps': (e, log) => {
    e.on('newListener', (name, listener) => log(name, listener === noop));
    e.once('a', noop);
    e.on('removeListener', (name, listener) => log('gone', name, listener === noop));
    e.emit('a');
  },
  'prependOnce': (e, log) => {
    e.on('a', () => log(1));
    e.prependOnceListener('a', () => log(2));
    e.prependListener('a', () => log(3));
    e.emit('a');
    e.emit('a');
  },
  'rawListeners': (e, log) => {
    e.once('a', () => log('called'));
    const [raw] = e.rawListeners('a');
    raw.listener();
    raw();
    log(e.listenerCount('a'));
  },
  'eventNames keeps symbols': (e, log) => {
    e.on('b', noop).on(Symbol('s'), noop).on('a', noop);
    log(util.inspect(e.eventNames()));
  },
  'listenerCount of one': (e, log) => {
    e.on('a', noop).once('a', noop).on('a', () => {});
    log(e.listenerCount('a'), e.listenerCount('a', noop), e.listenerCount('b'));
  },
  'a class of its own': (e, log, EventEmitter) => {
    function Own() {
      EventEmitter.call(this);
    }
    util.inherits(Own, EventEmitter);
    const own = new Own();
    own.on('a', function(...args) {
      log(this === own, args);
    });
    log(own.emit('a', 1, 2, 3), own.emit('b'), own instanceof EventEmitter);
  },
  'captureRejections': async (e, log, EventEmitter) => {
    const own = new EventEmitter({ captureRejections: true });
    own.on('error', (error) => log('error', error.message));
    own.on('a', async () => {
      throw new Error('rejected');
    });
    own.emit('a');
    await new Promise(setImmediate);
    own[EventEmitter.captureRejectionSymbol] = (error, ...rest) => log(error.message, rest);
    own.emit('a', 1, 2);
    await new Promise(setImmediate);
  },
  'leak': (e, log) => {
    const before = process.emitWarning;
    process.emitWarning = (w) => log(w.name, w.message, w.type, w.count, w.emitter === e);
    e.setMaxListeners(2);
    for (let i = 0; i < 5; i++) e.on('a', noop);
    process.emitWarning = before;
  },
  'no listener is stopped by a throw before it is reached': (e, log) => {
    e.on('a', () => log(1));
    e.on('a', () => {
      throw new Error('stop');
    });
    e.on('a', () => log(3));
    try {
      e.emit('a');
    } catch (error) {
      log(error.message);
    }
  },
};

const WRONG = [undefined, null, 1, 'x', {}, -1, NaN, 1.5, Infinity, true];

const ASYNC = {
  'once': async (e, log, { once }) => {
    setImmediate(() => e.emit('a', 1, 2));
    log(await once(e, 'a'), e.listenerCount('error'));
  },
  'once, error': async (e, log, { once }) => {
    setImmediate(() => e.emit('error', new Error('bad')));
    await once(e, 'a');
  },
  'once of error': async (e, log, { once }) => {
    setImmediate(() => e.emit('error', new Error('bad')));
    log(await once(e, 'error'));
  },
  'once, aborted': async (e, log, { once }) => {
    await once(e, 'a', { signal: AbortSignal.abort(new Error('why')) });
  },
  'once, aborted later': async (e, log, { once }) => {
    const controller = new AbortController();
    setImmediate(() => controller.abort());
    await once(e, 'a', { signal: controller.signal }).catch((error) => {
      log(error.name, error.code, error.cause.name, e.eventNames().length);
    });
  },
  'once, a wrong signal': (e, log, { once }) => once(e, 'a', { signal: {} }),
  'once, a target': async (e, log, { once }) => {
    const target = new EventTarget();
    setImmediate(() => target.dispatchEvent(new Event('a')));
    log((await once(target, 'a'))[0].type);
  },
  'once takes as many microtasks': async (e, log, { once }) => {
    const waiting = once(e, 'a').then(() => log('event'));
    e.emit('a');
    let chain = Promise.resolve();
    for (let i = 0; i < 6; i++) chain = chain.then(() => log(i));
    await Promise.all([waiting, chain]);
  },
  'on': async (e, log, { on }) => {
    process.nextTick(() => {
      e.emit('a', 1);
      e.emit('a', 2, 3);
      e.emit('end');
    });
    for await (const value of on(e, 'a', { close: ['end'] })) log(value);
    log(e.eventNames().length);
  },
  'on, error': async (e, log, { on }) => {
    process.nextTick(() => {
      e.emit('a', 1);
      e.emit('error', new Error('bad'));
    });
    for await (const value of on(e, 'a')) log(value);
  },
  'on, aborted': async (e, log, { on }) => {
    const controller = new AbortController();
    setImmediate(() => controller.abort());
    try {
      for await (const value of on(e, 'a', { signal: controller.signal })) log(value);
    } catch (error) {
      log(error.name, error.code, e.eventNames().length);
    }
  },
  'on, return and throw': async (e, log, { on }) => {
    const first = on(e, 'a');
    const pending = first.next();
    log(util.inspect(await first.return()), util.inspect(await pending));
    const second = on(e, 'a');
    second.throw(new Error('thrown'));
    await second.next().catch((error) => log(error.message));
    log(util.inspect(await second.next()));
    second.throw('no error');
  },
  'on, water marks': async (e, log, { on }) => {
    e.pause = () => log('pause');
    e.resume = () => log('resume');
    const iterator = on(e, 'a', { highWaterMark: 2, lowWaterMark: 1 });
    for (let i = 0; i < 4; i++) e.emit('a', i);
    for (let i = 0; i < 4; i++) log((await iterator.next()).value);
  },
  'addAbortListener': async (e, log, { addAbortListener }) => {
    const controller = new AbortController();
    addAbortListener(controller.signal, () => log('aborted'));
    controller.abort();
    addAbortListener(controller.signal, () => log('later'));
    log('now');
    await null;
  },
};

// One random life: names, listeners that log, and some that change what is there.
function life(random, steps) {
  const plan = Array.from({ length: steps }, () => [
    random.below(11), random.pick(['a', 'b', 'error', 'newListener', 'removeListener']),
    random.below(6), random.below(3),
  ]);
  return scene((e, log) => {
    // Of acts within listeners, so that a life ends.
    let left = 40;
    const act = ([action, name, who, other]) => {
      const listener = listeners[who];
      const acts = [
        () => e.on(name, listener), () => e.once(name, listener),
        () => e.prependListener(name, listener), () => e.prependOnceListener(name, listener),
        () => e.off(name, listener), () => log(e.emit(name, who)), () => log(e.emit(name)),
        () => e.removeAllListeners(name), () => log(e.listenerCount(name)),
        () => log(e.eventNames().join()), () => other === 0 && e.removeAllListeners(),
      ];
      try {
        acts[action]();
      } catch (error) {
        log(error.message);
      }
    };
    const listeners = [0, 1, 2, 3, 4, 5].map((id) => (...args) => {
      log(id, args.map((arg) => (typeof arg === 'function' ? listeners.indexOf(arg) : arg)));
      if (id < 3 || left === 0) return;
      left--;
      act(plan[(id * 7 + left) % plan.length]);
    });
    plan.forEach(act);
  });
}

module.exports = async (suite) => {
  for (const [label, run] of Object.entries({ ...SCENES, ...ASYNC })) {
    await suite.check(label, scene(run));
  }
  await suite.table('on', WRONG, (E, value) => new E().on('a', value));
  await suite.table('once', WRONG, (E, value) => new E().once('a', value));
  await suite.table('off', WRONG, (E, value) => new E().off('a', value));
  await suite.table('setMaxListeners', WRONG, (E, value) => {
    return new E().setMaxListeners(value).getMaxListeners();
  });
  await suite.table('defaultMaxListeners', WRONG, (E, value) => {
    E.defaultMaxListeners = value;
    const seen = [new E().getMaxListeners(), E.defaultMaxListeners];
    E.defaultMaxListeners = 10;
    return seen;
  });
  await suite.table('captureRejections', WRONG, (E, value) => {
    return typeof new E({ captureRejections: value });
  });
  await suite.table('getEventListeners', [1, {}, 'x'], (E, v) => E.getEventListeners(v, 'a'));
  await suite.table('getMaxListeners', [...WRONG], (E, value) => E.getMaxListeners(value));
  await suite.check('getEventListeners', (E) => E.getEventListeners(new E().on('a', noop), 'a'));
  await suite.check('names', (E) => [E.name, E.EventEmitter === E, E.length, typeof E.init]);
  for (let i = 0; i < 500; i++) await suite.check(`life ${i}`, life(suite.random, 30));
};
