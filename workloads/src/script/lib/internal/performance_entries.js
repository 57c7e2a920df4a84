'use strict';
// Marks and measures of `performance`, kept in the order of their starts.
//
// Natives: none.

const { checkNumber, checkString } = require('internal/checks');
const { codes } = require('internal/errors');
const { filter, findLast, slice, splice } = require('internal/primordials');

class PerformanceEntry {
  constructor(name, entryType, startTime, duration) {
    Object.assign(this, { name, entryType, startTime, duration });
  }

  toJSON() {
    return { ...this };
  }
}

class PerformanceMark extends PerformanceEntry {
  constructor(name, options = {}) {
    if (arguments.length === 0) throw new codes.ERR_MISSING_ARGS('name');
    const start = options.startTime ?? require('perf_hooks').performance.now();
    checkNumber(start, 'options.startTime');
    if (start < 0) throw invalidTime(start);
    super(`${name}`, 'mark', start, 0);
    this.detail = options.detail ?? null;
  }
}

class PerformanceMeasure extends PerformanceEntry {
  constructor(name, start, duration, detail) {
    super(name, 'measure', start, duration);
    this.detail = detail ?? null;
  }
}

function invalidTime(value) {
  const error = new TypeError(`${value} is not a valid timestamp`);
  error.code = 'ERR_PERFORMANCE_INVALID_TIMESTAMP';
  return error;
}

function timeline(now) {
  let entries = [];

  const add = (entry) => {
    let at = entries.length;
    while (at > 0 && entries[at - 1].startTime > entry.startTime) at--;
    splice(entries, at, 0, entry);
    return entry;
  };

  const timeOf = (mark) => {
    if (typeof mark === 'number') {
      if (mark < 0) throw invalidTime(mark);
      return mark;
    }
    const found = findLast(entries, (entry) => entry.entryType === 'mark' && entry.name === mark);
    if (found !== undefined) return found.startTime;
    const { DOMException } = require('internal/dom_exception');
    throw new DOMException(`The "${mark}" performance mark has not been set`, 'SyntaxError');
  };

  const clear = (type, name) => {
    entries = filter(entries, (entry) => {
      return entry.entryType !== type || (name !== undefined && entry.name !== `${name}`);
    });
  };

  return {
    mark: (...args) => add(Reflect.construct(PerformanceMark, args)),
    measure(name, from, to) {
      checkString(name, 'name');
      const options = typeof from === 'object' && from !== null ? from : { start: from, end: to };
      const { start, end, duration, detail } = options;
      const ended = end !== undefined ? timeOf(end)
        : start !== undefined && duration !== undefined ? timeOf(start) + duration : now();
      const began = start !== undefined ? timeOf(start)
        : duration !== undefined ? ended - duration : 0;
      return add(new PerformanceMeasure(name, began, ended - began, detail));
    },
    clearMarks: (name) => clear('mark', name),
    clearMeasures: (name) => clear('measure', name),
    getEntries: () => slice(entries),
    getEntriesByName(name, type) {
      return filter(entries, (entry) => {
        return entry.name === `${name}` && (type === undefined || entry.entryType === type);
      });
    },
    getEntriesByType: (type) => filter(entries, (entry) => entry.entryType === type),
  };
}

module.exports = { PerformanceEntry, PerformanceMark, PerformanceMeasure, timeline };
