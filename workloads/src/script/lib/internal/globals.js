// The global object: what is needed by nearly every program at once, the rest when it is asked for.
'use strict';

const { lazy: define, put } = require('internal/lazy');
const { each } = require('internal/primordials');

function lazy(name, file, property) {
  define(globalThis, name, false, () => {
    const loaded = require(file);
    return property === undefined ? loaded : loaded[property];
  });
}

put(globalThis, 'global', false, globalThis);
for (const name of each(['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval',
  'setImmediate', 'clearImmediate'])) {
  lazy(name, 'timers', name);
}
lazy('queueMicrotask', 'internal/task_queues', 'queueMicrotask');
lazy('process', 'internal/process');
lazy('console', 'console');
lazy('Buffer', 'buffer', 'Buffer');
lazy('atob', 'buffer', 'atob');
lazy('btoa', 'buffer', 'btoa');
lazy('TextEncoder', 'internal/encoding', 'TextEncoder');
lazy('TextDecoder', 'internal/encoding', 'TextDecoder');
lazy('URL', 'url', 'URL');
lazy('URLSearchParams', 'url', 'URLSearchParams');
lazy('Event', 'internal/event_target', 'Event');
lazy('EventTarget', 'internal/event_target', 'EventTarget');
lazy('CustomEvent', 'internal/event_target', 'CustomEvent');
lazy('AbortController', 'internal/abort', 'AbortController');
lazy('AbortSignal', 'internal/abort', 'AbortSignal');
lazy('DOMException', 'internal/dom_exception', 'DOMException');
lazy('structuredClone', 'internal/structured_clone', 'structuredClone');
lazy('performance', 'perf_hooks', 'performance');

if (internal.clockIsVirtual()) require('internal/virtual_date');
