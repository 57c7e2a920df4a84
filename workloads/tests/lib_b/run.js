'use strict';
// Compares the library's files with Node's own modules: `node --expose-internals run.js`.
// Arguments: `--seed=N`, and the names of suites to run, all without any.

const { Random, Suite } = require('./compare');
const { load } = require('./load');

const SUITES = {
  'events': () => [load('events'), require('events')],
  'targets': () => [
    {
      ...load('internal/event_target'), ...load('internal/abort'),
      ...load('internal/dom_exception'), ...load('events'), events: load('events'),
    },
    {
      Event, CustomEvent, EventTarget, AbortController, AbortSignal, DOMException,
      ...require('events'), events: require('events'),
    },
  ],
  'buffer': () => [load('buffer'), require('buffer')],
  'encoding': () => [
    { ...load('internal/encoding'), ...load('string_decoder'), Buffer: load('buffer').Buffer },
    { TextEncoder, TextDecoder, ...require('string_decoder'), Buffer },
  ],
  'path': () => [load('path'), require('path')],
  'querystring': () => [load('querystring'), require('querystring')],
  'url': () => [load('url'), require('url')],
  'os': () => [load('os'), require('os')],
};

const SHOWN_MAX = 20;

async function main() {
  const seedText = process.argv.find((word) => word.startsWith('--seed='));
  const seed = seedText ? Number(seedText.slice(7)) : Date.now() % 2 ** 31;
  const named = process.argv.slice(2).filter((word) => !word.startsWith('--'));
  let different = 0;
  for (const name of named.length > 0 ? named : Object.keys(SUITES)) {
    const suite = new Suite(name, ...SUITES[name](), new Random(seed));
    await require(`./${name}`)(suite);
    const count = suite.differences.length;
    console.log(`${name}: ${suite.cases} cases, ${count} differences, seed ${seed}`);
    for (const { label, expected, found } of suite.differences.slice(0, SHOWN_MAX)) {
      console.log(`  ${label}\n    node: ${expected}\n    ours: ${found}`);
    }
    different += count;
  }
  process.exitCode = different > 0 ? 1 : 0;
}

main();
