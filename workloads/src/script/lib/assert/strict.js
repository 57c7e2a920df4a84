'use strict';
// `assert/strict`: the strict forms under the short names.
//
// Cost: none of its own.
// From `internal`: nothing.

module.exports = require('assert').strict;
