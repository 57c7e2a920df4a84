'use strict';
// The printing half of `util`: `inspect`, `format`, `formatWithOptions`.
//
// Cost: that of `internal/inspect-value` and `internal/format`.
// From `internal`: nothing.

const { inspect, defaults, CUSTOM } = require('internal/inspect-value');
const { COLORS, STYLES, stripColors, widthOf } = require('internal/inspect-text');
const { format, formatArgs, formatWithOptions } = require('internal/format');

Object.assign(inspect, { custom: CUSTOM, colors: COLORS, styles: STYLES });
Object.defineProperty(inspect, 'defaultOptions', {
  get: () => defaults,
  set(options) {
    if (options === null || typeof options !== 'object') {
      const { codes } = require('internal/errors');
      throw new codes.ERR_INVALID_ARG_TYPE('options', 'object', options);
    }
    Object.assign(defaults, options);
  },
});

module.exports = { inspect, format, formatArgs, formatWithOptions, stripColors, widthOf };
