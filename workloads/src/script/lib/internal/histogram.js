'use strict';
// The histograms of `perf_hooks`: values with how often they occurred. What Node rounds to three
// digits is kept here as it was recorded.
//
// internal.hrtime() -> nanoseconds.

const { codes } = require('internal/errors');
const { checkInteger, checkNumber } = require('internal/checks');
const {
  each, entriesOf, filter, forEach, fromEntries, reduce, sort,
} = require('internal/primordials');

const EMPTY_MIN = 2n ** 63n - 1n; // as an empty histogram of Node has it
const HOUR_NS = 3.6e12; // what is longer than this exceeds Node's histogram

const kRead = Symbol('read');
const kRecorded = Symbol('recorded');

const empty = () => ({ sum: 0, min: Infinity, max: 0, counts: new Map() });

function addTo(all, { sum, min, max, counts }) {
  all.sum += sum;
  all.min = Math.min(all.min, min);
  all.max = Math.max(all.max, max);
  for (const { 0: value, 1: count } of each(Array.isArray(counts) ? counts : entriesOf(counts))) {
    all.counts.set(value, (all.counts.get(value) ?? 0) + count);
  }
}

const total = ({ counts }) => reduce(entriesOf(counts), (sum, { 1: count }) => sum + count, 0);

// The value below or at which so many percent of all values are.
function atPercentile({ counts, min, max }, percent) {
  const all = total({ counts });
  if (all === 0) return 0;
  if (percent <= 0) return min;
  let left = Math.max(1, Math.ceil(all * percent / 100));
  const sorted = sort(entriesOf(counts), ({ 0: a }, { 0: b }) => a - b);
  for (const { 0: value, 1: count } of each(sorted)) {
    left -= count;
    if (left <= 0) return value;
  }
  return max;
}

// A step for each half of what is left, down to a single value.
function allPercentiles(data) {
  const all = total(data);
  const steps = new Map();
  if (all > 0) {
    for (let rest = 100; rest * all > 50; rest /= 2) {
      steps.set(100 - rest, atPercentile(data, 100 - rest));
    }
  }
  return steps.set(100, atPercentile(data, 100));
}

function deviation(data) {
  const count = total(data);
  if (count === 0) return NaN;
  const mean = data.sum / count;
  let squares = 0;
  for (const { 0: value, 1: times } of each(entriesOf(data.counts))) {
    squares += times * (value - mean) ** 2;
  }
  return Math.sqrt(squares / count);
}

function checkPercentile(percent) {
  checkNumber(percent, 'percentile');
  if (!(percent > 0 && percent <= 100)) {
    throw new codes.ERR_OUT_OF_RANGE('percentile', '> 0 && <= 100', percent);
  }
}

class Histogram {
  constructor(read) {
    if (typeof read !== 'function') throw new codes.ERR_ILLEGAL_CONSTRUCTOR();
    Object.defineProperty(this, kRead, { value: read });
  }

  get count() {
    return total(this[kRead]());
  }

  get countBigInt() {
    return BigInt(this.count);
  }

  get min() {
    return Number(this.minBigInt);
  }

  get minBigInt() {
    const { min } = this[kRead]();
    return min === Infinity ? EMPTY_MIN : BigInt(min);
  }

  get max() {
    return this[kRead]().max;
  }

  get maxBigInt() {
    return BigInt(this.max);
  }

  get mean() {
    const data = this[kRead]();
    return data.sum / total(data);
  }

  get stddev() {
    return deviation(this[kRead]());
  }

  get exceeds() {
    const longer = filter(entriesOf(this[kRead]().counts), ({ 0: value }) => value > HOUR_NS);
    return reduce(longer, (sum, { 1: count }) => sum + count, 0);
  }

  get exceedsBigInt() {
    return BigInt(this.exceeds);
  }

  percentile(percentile) {
    checkPercentile(percentile);
    return atPercentile(this[kRead](), percentile);
  }

  percentileBigInt(percentile) {
    return BigInt(this.percentile(percentile));
  }

  get percentiles() {
    return allPercentiles(this[kRead]());
  }

  get percentilesBigInt() {
    const found = new Map();
    const add = ({ 0: step, 1: value }) => found.set(step, BigInt(value));
    forEach(entriesOf(this.percentiles), add);
    return found;
  }

  toJSON() {
    const { count, min, max, mean, exceeds, stddev, percentiles } = this;
    return {
      count, min, max, mean, exceeds, stddev, percentiles: fromEntries(entriesOf(percentiles)),
    };
  }

  [Symbol.for('nodejs.util.inspect.custom')](depth, options, inspect) {
    if (depth < 0) return this;
    const { min, max, mean, exceeds, stddev, count, percentiles } = this;
    const shown = { min, max, mean, exceeds, stddev, count, percentiles };
    return `Histogram ${inspect(shown, options)}`;
  }
}

class RecordableHistogram extends Histogram {
  constructor() {
    let data = empty();
    super(() => data);
    Object.defineProperty(this, kRecorded, { value: () => data });
    this.reset = () => {
      data = empty();
    };
    Object.defineProperty(this, 'reset', { enumerable: false });
    let last;
    Object.defineProperty(this, 'recordDelta', { value: () => {
      const now = internal.hrtime();
      if (last !== undefined) this.record(Math.max(1, now - last));
      last = now;
    } });
  }

  record(value) {
    if (typeof value === 'bigint') value = Number(value);
    checkInteger(value, 'val', 1);
    addTo(this[kRecorded](), { sum: value, min: value, max: value, counts: [[value, 1]] });
  }

  add(other) {
    if (!(other instanceof RecordableHistogram)) {
      throw new codes.ERR_INVALID_ARG_TYPE('other', 'RecordableHistogram', other);
    }
    addTo(this[kRecorded](), other[kRecorded]());
  }
}

module.exports = { Histogram, RecordableHistogram, addTo, empty };
