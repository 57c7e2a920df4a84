// wrong: A comment is trimmed by /\s+$/. At each of its 18,000 spaces the pattern goes to the end
//   of them, finds a letter there, and begins again with the next: 160 million steps.
// see: Stalls of 100 ms and more in trimComment; the leaf is the regular expression.
'use strict';

const { run } = require('../support/truth');

const comment = `a word,${' '.repeat(18_000)}and another`;

function trimComment(text) {
  return text.replace(/\s+$/, '');
}

run({ cause: 'cpu-bound-callback', culprit: trimComment }, () => trimComment(comment));
