// wrong: Names are sorted by localeCompare, which asks for the rules of the language each time.
// see: Stalls of 100 ms and more in sortByName; the comparison is anonymous, the leaf is in ICU.
'use strict';

const { run } = require('../support/truth');

let seed = 1;
const next = () => (seed = (seed * 16807) % 2147483647);
const names = Array.from({ length: 60_000 }, () => `Ähre ${next().toString(36)} Žito`);

function sortByName(list) {
  return [...list].sort((a, b) => a.localeCompare(b, 'de'));
}

run({ cause: 'cpu-bound-callback', culprit: sortByName }, () => sortByName(names));
