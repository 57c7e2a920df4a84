// Reads a CPU profile or a trace as Chrome's DevTools do, and prints what it found as JSON.
// Arguments: where the engine of DevTools lies, and the file.
import { readFile } from 'node:fs/promises';
import { pathToFileURL } from 'node:url';

const [engine, path] = process.argv.slice(2);
const load = (file) => import(pathToFileURL(`${engine}/${file}`));
const content = JSON.parse(await readFile(path, 'utf8'));

/// Functions in the order in which they are first entered, each with its time.
async function profile() {
  const { CPUProfileDataModel } = await load('models/cpu_profile/CPUProfileDataModel.js');
  const model = new CPUProfileDataModel(content);
  const times = {};
  model.forEachFrame(() => {}, (depth, { functionName, url, lineNumber }, sample, start, ms) => {
    const name = `${functionName} ${url}:${lineNumber + 1}`;
    times[name] = (times[name] ?? 0) + ms;
  });
  return { samples: model.samples.length, times };
}

/// The slices of each track, by its name.
async function trace() {
  const { TraceModel } = await load('models/trace/trace.js');
  const model = TraceModel.Model.createWithAllHandlers();
  await model.parse(content.traceEvents, { metadata: {} });
  const tracks = {};
  for (const { threads } of model.parsedTrace(0).data.Renderer.processes.values()) {
    for (const { name, entries } of threads.values()) {
      tracks[name] = entries.map((entry) => `${entry.name} ${entry.dur / 1000}`);
    }
  }
  return tracks;
}

console.log(JSON.stringify(content.traceEvents ? await trace() : await profile()));
