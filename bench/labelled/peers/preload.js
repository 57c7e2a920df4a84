'use strict';

// Has other tools watch the loop of the program that is loaded behind this, and writes what they
// say, as JSON, to the file that LABELLED_PEERS names. All of them start when the main script has
// run, so that what it does first counts for none.

const fs = require('node:fs');
const { monitorEventLoopDelay } = require('node:perf_hooks');
const { metrics } = require('@opentelemetry/api');
const { RuntimeNodeInstrumentation } = require('@opentelemetry/instrumentation-runtime-node');
const { MeterProvider, MetricReader } = require('@opentelemetry/sdk-metrics');
const blockedAt = require('blocked-at');
const prom = require('prom-client');

const RESOLUTION_MS = 10;
const BLOCKED_MS = 50;

const told = (max, p99) => ({ max_ms: +max.toFixed(2), p99_ms: +p99.toFixed(2) });
const ofNs = (histogram) => told(histogram.max / 1e6, histogram.percentile(99) / 1e6);

// Node's own, in the mode that has a timer, and where this Node has it, in that without one.
function node() {
  const interval = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  interval.enable();
  const [major, minor] = process.versions.node.split('.').map(Number);
  const has = major > 26 || (major === 26 && minor >= 5);
  const iteration = has ? monitorEventLoopDelay({ samplePerIteration: true }) : null;
  iteration?.enable();
  return { interval: () => ofNs(interval), iteration: () => iteration && ofNs(iteration) };
}

function promClient() {
  const register = new prom.Registry();
  prom.collectDefaultMetrics({ register, eventLoopMonitoringPrecision: RESOLUTION_MS });
  return async () => {
    const all = await register.getMetricsAsJSON();
    const value = (name) => all.find((metric) => metric.name === name).values[0].value * 1e3;
    const [max, p99] = ['max', 'p99'].map((of) => value(`nodejs_eventloop_lag_${of}_seconds`));
    return told(max, p99);
  };
}

class AtEnd extends MetricReader {
  async onShutdown() {}
  async onForceFlush() {}
}

function openTelemetry() {
  const reader = new AtEnd();
  const provider = new MeterProvider({ readers: [reader] });
  metrics.setGlobalMeterProvider(provider);
  const runtime = new RuntimeNodeInstrumentation({ monitoringPrecision: RESOLUTION_MS });
  runtime.setMeterProvider(provider);
  return async () => {
    const { resourceMetrics } = await reader.collect();
    const all = resourceMetrics.scopeMetrics.flatMap((scope) => scope.metrics);
    const value = (name) => all.find((metric) => metric.descriptor.name === name)
      .dataPoints[0].value * 1e3;
    return told(value('nodejs.eventloop.delay.max'), value('nodejs.eventloop.delay.p99'));
  };
}

// It tells where the callback was handed over that blocked; the first frame that is neither Node's
// nor its own.
function blocked() {
  const blocks = [];
  const own = (line) => /\((?:node:|.*node_modules)/.test(line) || !line.includes('/');
  blockedAt((ms, stack) => blocks.push({ ms, at: stack.find((line) => !own(line))?.trim() }),
    { threshold: BLOCKED_MS });
  return () => {
    const longest = blocks.reduce((most, block) => (block.ms > most.ms ? block : most), { ms: 0 });
    return { max_ms: +longest.ms.toFixed(2), at: longest.at ?? null };
  };
}

async function write(tools) {
  const says = {};
  for (const [name, tool] of Object.entries(tools)) says[name] = await tool();
  fs.writeFileSync(process.env.LABELLED_PEERS, JSON.stringify(says));
}

setTimeout(() => {
  const tools = {
    ...node(), prom_client: promClient(), opentelemetry: openTelemetry(), blocked_at: blocked(),
  };
  process.once('beforeExit', () => write(tools));
}, 0);
