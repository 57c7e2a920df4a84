'use strict';

// Waits in a function of a kind that the command line names.
const waiting = require('./wait.cjs');
const { open, ready, wait } = waiting;

function plain() {
  wait();
}

class Shop {
  constructor(waits) {
    if (waits) wait();
  }

  order() {
    wait();
  }

  static stock() {
    wait();
  }

  #secret() {
    wait();
  }

  tell() {
    this.#secret();
  }

  get price() {
    return wait();
  }

  field = () => {
    wait();
  };
}

const arrow = () => {
  wait();
};

const kept = {
  method() {
    wait();
  },
};

kept.assigned = function () {
  wait();
};

async function afterAwait() {
  await null;
  wait();
}

function* generates() {
  yield 1;
  wait();
}

async function* generatesLater() {
  yield 1;
  await null;
  wait();
}

const text = (head) => `${head}\n  \n  wait();\n${'// filler\n'.repeat(3)}`;

const cases = {
  plain,
  arrow,
  afterAwait,
  class: () => new Shop().order(),
  constructs: () => new Shop(true),
  static: () => Shop.stock(),
  private: () => new Shop().tell(),
  getter: () => new Shop().price,
  field: () => new Shop().field(),
  method: () => kept.method(),
  assigned: () => kept.assigned(),
  generator: () => [...generates()],
  asyncGenerator: async () => {
    for await (const one of generatesLater()) void one;
  },
  eval: () => eval(`${text('function fromEval() {')}}\nfromEval()`),
  indirect: () => {
    globalThis.wait = wait;
    (0, eval)(`${text('function fromEval() {')}}\nfromEval()`);
  },
  newFunction: () => new Function('wait', text('// made'))(wait),
  vm: () => require('node:vm').runInNewContext(text('1;'), { wait }, { filename: 'made.vm' }),
  timer: () => setTimeout(function onTimer() { wait(); }, 1),
  tick: () => process.nextTick(function onTick() { wait(); }),
  sort: () => [3, 2, 1].sort(function compare() { wait(); }),
  replace: () => 'aaa'.replace(/a/gu, function swap() { wait(); }),
  revive: () => JSON.parse('{"a":1}', function revive() { wait(); }),
  bound: () => plain.bind(null)(),
  proxy: () => new Proxy(plain, {})(),
  reflect: () => Reflect.apply(plain, null, []),
  ünïcode: function ünïcode() { wait(); },
  open: function opens() { open(); },
  worker: () => new (require('node:worker_threads').Worker)(__filename, { argv: ['plain'] }),
};

ready();
cases[process.argv[2]]();
