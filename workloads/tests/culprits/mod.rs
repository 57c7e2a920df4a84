//! The labelled scripts.

/// A script that holds up the loop once.
#[derive(Debug)]
pub(crate) struct Case {
    /// What it shows.
    pub(crate) name: &'static str,
    /// Names and sources; the first is run.
    pub(crate) files: &'static [(&'static str, &'static str)],
    /// Which of them is to blame.
    pub(crate) blamed: usize,
    /// The function to blame.
    pub(crate) function: &'static str,
    /// How the leaf that is told beside it begins.
    pub(crate) leaf: &'static str,
}

macro_rules! case {
    ($name:literal, $function:literal, $leaf:literal, $file:literal, $source:literal) => {
        Case {
            name: $name,
            files: &[($file, $source)],
            blamed: 0,
            function: $function,
            leaf: $leaf,
        }
    };
}

pub(crate) const CASES: &[Case] = &[
    case!(
        "busy-function",
        "busy",
        "",
        "app.js",
        "function busy(ms) { // HERE
  const end = Date.now() + ms;
  while (Date.now() < end) {} // HERE
}
setTimeout(() => busy(100), 5);
"
    ),
    case!(
        "tight-loop",
        "tight",
        "",
        "app.js",
        "setTimeout(main, 5);
function tight(rounds) { // HERE
  let sum = 0;
  for (let i = 0; i < rounds; i++) sum = (sum + i) | 0; // HERE
  return sum;
}
function main() {
  for (let end = Date.now() + 100; Date.now() < end;) tight(200000);
}
"
    ),
    case!(
        "call-of-many-lines",
        "parse",
        "parse (native)",
        "app.js",
        "const text = '[' + '{\"i\":1},'.repeat(300000) + '0]';
const reviver = undefined;
setTimeout(parse, 5);
function parse() {
  JSON.parse( // HERE
    text,
    reviver,
  );
}
"
    ),
    case!(
        "nested-helper",
        "helper",
        "",
        "app.js",
        "function helper(n) { // HERE
  let sum = 0;
  for (let i = 0; i < n; i++) sum += Math.sqrt(i); // HERE
  return sum;
}
function middle() {
  return helper(20000);
}
function outer() {
  for (let end = Date.now() + 100; Date.now() < end;) middle();
}
setTimeout(outer, 5);
"
    ),
    case!(
        "method",
        "run",
        "",
        "app.js",
        "class Machine {
  run(ms) { // HERE
    const end = Date.now() + ms;
    while (Date.now() < end); // HERE
  }
}
setTimeout(() => new Machine().run(100), 5);
"
    ),
    case!(
        "arrow-of-a-const",
        "hashRows",
        "",
        "app.js",
        "const hashRows = (ms) => { // HERE
  for (const end = Date.now() + ms; Date.now() < end;) {} // HERE
};
setTimeout(() => hashRows(100), 5);
"
    ),
    case!(
        "async-after-await",
        "handle",
        "",
        "app.js",
        "async function handle() { // HERE
  await null;
  const end = Date.now() + 100;
  while (Date.now() < end) {} // HERE
}
setTimeout(handle, 5);
"
    ),
    case!(
        "microtask-flood",
        "step",
        "",
        "app.js",
        "let left = 150000;
function step() { // HERE
  if (left-- > 0) Promise.resolve().then(step); // HERE
}
setTimeout(step, 5);
"
    ),
    case!(
        "tick-recursion",
        "again",
        "",
        "app.js",
        "let left = 100000;
function again() { // HERE
  if (left-- > 0) process.nextTick(again); // HERE
}
setTimeout(again, 5);
"
    ),
    case!(
        "timer-callback",
        "onTimer",
        "",
        "app.mjs",
        "setTimeout(function onTimer() { // HERE
  const end = Date.now() + 100;
  while (Date.now() < end) {} // HERE
}, 5);
"
    ),
    case!(
        "immediate-callback",
        "onImmediate",
        "",
        "app.js",
        "setTimeout(() => setImmediate(onImmediate), 5);
function onImmediate() { // HERE
  const end = Date.now() + 100;
  while (Date.now() < end) {} // HERE
}
"
    ),
    case!(
        "json-parse",
        "load",
        "parse (native)",
        "app.js",
        "const text = `[${new Array(400000).fill('{\"a\":1}').join()}]`;
setTimeout(load, 5);
function load() { // HERE
  return JSON.parse(text).length; // HERE
}
"
    ),
    case!(
        "short-messages",
        "loadAll",
        "parse (native)",
        "app.js",
        "const text = `[${new Array(1500).fill('{\"a\":1}').join()}]`;
setTimeout(loadAll, 5);
function loadAll() { // HERE
  for (const end = Date.now() + 100; Date.now() < end;) JSON.parse(text); // HERE
}
"
    ),
    case!(
        "json-stringify",
        "save",
        "stringify (native)",
        "app.js",
        "const rows = new Array(400000).fill({ a: 1, b: 'two' });
setTimeout(save, 5);
function save() { // HERE
  return JSON.stringify(rows).length; // HERE
}
"
    ),
    case!(
        "regex-backtracking",
        "isValid",
        "test (native)",
        "app.js",
        "const NAME = /^(a+)+$/;
function isValid(name) { // HERE
  return NAME.test(name); // HERE
}
setTimeout(() => isValid(`${'a'.repeat(22)}!`), 5);
"
    ),
    case!(
        "sort-with-comparator",
        "order",
        "sort (native)",
        "app.js",
        "const rows = Array.from({ length: 150000 }, (_, i) => (i * 7919) % 1000003);
function order() { // HERE
  return rows.sort((a, b) => a - b); // HERE
}
setTimeout(order, 5);
"
    ),
    case!(
        "sort-of-texts",
        "order",
        "sort (native)",
        "app.js",
        "const rows = Array.from({ length: 150000 }, (_, i) => `${(i * 7919) % 1000003}`);
function order() { // HERE
  return rows.sort(); // HERE
}
setTimeout(order, 5);
"
    ),
    case!(
        "string-building",
        "build",
        "",
        "app.js",
        "function build(n) { // HERE
  let text = '';
  for (let i = 0; i < n; i++) text += String.fromCharCode(97 + (i % 26)); // HERE
  return text;
}
setTimeout(() => build(1000000), 5);
"
    ),
    case!(
        "main-program",
        "(top level)",
        "",
        "app.js",
        "const end = Date.now() + 100;
while (Date.now() < end) {} // HERE
"
    ),
    case!(
        "main-module",
        "(top level)",
        "",
        "app.mjs",
        "const end = Date.now() + 100;
while (Date.now() < end) {} // HERE
"
    ),
    case!(
        "without-a-name",
        "(anonymous)",
        "(anonymous)",
        "app.js",
        "setTimeout(() => { // HERE
  const end = Date.now() + 100;
  while (Date.now() < end) {} // HERE
}, 5);
"
    ),
    case!(
        "leaf-without-a-name",
        "total",
        "(anonymous)",
        "app.js",
        "function total(end) { // HERE
  [1].forEach(() => { // HERE
    while (Date.now() < end) {}
  });
}
setTimeout(() => total(Date.now() + 100), 5);
"
    ),
    case!(
        "errors-of-its-own",
        "busy",
        "",
        "app.js",
        "Error.stackTraceLimit = 0;
Error.prepareStackTrace = () => { throw new Error('not here'); };
globalThis.Error = null;
String.prototype.indexOf = null;
function busy(ms) { // HERE
  const end = Date.now() + ms;
  while (Date.now() < end) {} // HERE
}
setTimeout(() => busy(100), 5);
"
    ),
    Case {
        name: "two-files",
        files: &[
            (
                "app.js",
                "const { crunch } = require('./lib.js');
setTimeout(function main() {
  crunch(100);
}, 5);
",
            ),
            (
                "lib.js",
                "exports.crunch = function crunch(ms) { // HERE
  const end = Date.now() + ms;
  while (Date.now() < end) {} // HERE
};
",
            ),
        ],
        blamed: 1,
        function: "crunch",
        leaf: "",
    },
    Case {
        name: "two-modules",
        files: &[
            ("app.mjs", "import { crunch } from './lib.mjs';\nsetTimeout(crunch, 5, 100);\n"),
            (
                "lib.mjs",
                "export function crunch(ms) { // HERE
  const end = Date.now() + ms;
  while (Date.now() < end) {} // HERE
}
",
            ),
        ],
        blamed: 1,
        function: "crunch",
        leaf: "",
    },
];
