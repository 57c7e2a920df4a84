'use strict';

// Loaded first into each Node.js process of a command that `loopscope exec` observes.
//
// Node keeps trace events in memory until there are 65,536, or the process ends by itself. Here
// they are handed over whenever loopscope touches the file `ask` in this folder: to turn tracing
// off and on writes what there is. The watch does not keep the process alive, and it calls back in
// the poll phase, in which nothing is traced that a hand-over could cut in two. A file named after
// the process says that it is Node, as nothing else may be written before it is stuck.
//
// In a worker thread there is no module `trace_events`, and nothing is done. Whatever fails here
// must not be felt by the program.
try {
  const { createTracing } = require('trace_events');
  const fs = require('fs');
  const tracing = createTracing({ categories: ['node.bootstrap'] });
  const handOver = () => {
    tracing.enable();
    tracing.disable();
  };
  const watch = fs.watch(`${__dirname}/ask`, { persistent: false }, handOver);
  watch.on('error', () => watch.close());
  const evaluates = (option) => /^(-e|-p|-pe|--eval|--print)(=|$)/.test(option);
  const script = process.execArgv.some(evaluates) ? '[eval]' : process.argv[1];
  const hello = { version: process.versions.node, script };
  fs.writeFileSync(`${__dirname}/${process.pid}.node`, JSON.stringify(hello));
} catch {
  // Without it the trace comes when the process ends.
}
delete require.cache[__filename];
