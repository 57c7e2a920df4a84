// What is thrown passes a `finally`, which the engine takes to be where it comes from.
'use strict';

function fail() {
  throw 'lost';
}

try {
  fail();
  throw 'never';
} finally {
  process.exitCode = 1;
}
