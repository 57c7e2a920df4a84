//! Nodes that break one rule each, to see that random programs notice.

/// A rule that is broken, and the module that breaks it when it is loaded first.
pub(crate) const MUTANTS: &[(&str, &str)] = &[
    (
        "ticks are microtasks",
        "process.nextTick = (call, ...args) => queueMicrotask(() => call(...args));",
    ),
    (
        "microtasks before ticks",
        "const tick = process.nextTick;
         process.nextTick = (call, ...args) => tick(() => queueMicrotask(() => call(...args)));",
    ),
    (
        "no drain between the timers of a list",
        "const set = setTimeout;
         const due = [];
         globalThis.setTimeout = (call, ms, ...args) => {
           const entry = { at: Date.now() + ms, call: () => call(...args) };
           const timer = set(() => {
             for (const one of due.splice(0)) {
               if (one === entry || one.at < Date.now() - 1 && one.timer.hasRef()) {
                 clearTimeout(one.timer);
                 one.call();
               } else due.push(one);
             }
           }, ms);
           entry.timer = timer;
           due.push(entry);
           return timer;
         };",
    ),
    (
        "what is due first runs first",
        "const set = setTimeout;
         const heap = [];
         globalThis.setTimeout = (call, ms, ...args) => {
           const at = Date.now() + (ms >= 1 ? Math.trunc(ms) : 1);
           const timer = set(() => {
             heap.sort((a, b) => a.at - b.at);
             const first = heap.findIndex((one) => !one.timer._destroyed || one.timer === timer);
             const [one] = heap.splice(first, 1);
             one?.call();
           }, ms);
           heap.push({ at, timer, call: () => call(...args) });
           return timer;
         };",
    ),
    (
        "immediates are timers",
        "globalThis.setImmediate = (call, ...args) => setTimeout(call, 0, ...args);
         globalThis.clearImmediate = clearTimeout;",
    ),
    (
        "an immediate of an immediate runs in the same turn",
        "const set = setImmediate;
         let running;
         globalThis.setImmediate = (call, ...args) => {
           if (running) {
             const one = { unref() {}, ref() {}, hasRef: () => true, run: () => call(...args) };
             running.push(one);
             return one;
           }
           return set(() => {
             const more = running = [];
             try { call(...args); } finally { running = undefined; }
             more.forEach((one) => process.nextTick(one.run));
           });
         };",
    ),
    (
        "a clear by a tick comes too late",
        "const clear = clearTimeout;
         globalThis.clearTimeout = (timer) => process.nextTick(() => setImmediate(clear, timer));",
    ),
    (
        "finally costs a microtask more",
        "const old = Promise.prototype.finally;
         Promise.prototype.finally = function (call) {
           return old.call(this, call).then((value) => value);
         };",
    ),
    (
        "allSettled costs a microtask more",
        "const old = Promise.allSettled;
         Promise.allSettled = function (all) { return old.call(this, all).then((list) => list); };",
    ),
    (
        "unhandled rejections are told a turn later",
        "const on = process.on;
         process.on = (name, call) => on.call(process, name, name !== 'unhandledRejection' ? call
           : (...args) => setImmediate(() => call(...args)));",
    ),
    (
        "what is thrown drops the ticks that wait",
        "let since = 0;
         const tick = process.nextTick;
         process.nextTick = (call, ...args) => {
           const made = since;
           tick(() => made === since && call(...args));
         };
         process.on('uncaughtExceptionMonitor', () => since++);",
    ),
    (
        "an await that never ends is success",
        "process.on('exit', () => { process.exitCode ??= 0; });",
    ),
    (
        "process.exit lets the ticks run",
        "const exit = process.exit;
         process.exit = (code) => process.nextTick(() => exit(code));",
    ),
    (
        "an unref'd timer holds the loop",
        "Object.getPrototypeOf(setTimeout(() => {}, 0)).unref = function () { return this; };",
    ),
    (
        "refresh does nothing",
        "Object.getPrototypeOf(setTimeout(() => {}, 0)).refresh = function () { return this; };",
    ),
    (
        "files are read at once",
        "const fs = require('fs');
         for (const name of ['stat', 'readFile', 'access']) {
           const sync = fs[`${name}Sync`];
           fs[name] = (file, ...rest) => {
             const call = rest.pop();
             process.nextTick(() => {
               let value;
               try { value = sync(file, ...rest); } catch (error) { return call(error); }
               call(null, value);
             });
           };
         }",
    ),
];
