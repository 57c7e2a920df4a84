'use strict';

exports.b = 1;
