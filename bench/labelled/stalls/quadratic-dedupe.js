// wrong: Doubles are taken out of a list by asking, for each, whether it is in the result already.
// see: Stalls of 100 ms and more in uniqueIds; the leaf is V8's Array.prototype.includes.
'use strict';

const { run } = require('../support/truth');

const ids = Array.from({ length: 16_000 }, (_, id) => `user-${id}`);

class Audience {
  uniqueIds(list) {
    const unique = [];
    for (const id of list) if (!unique.includes(id)) unique.push(id);
    return unique.length;
  }
}

const audience = new Audience();
run({ cause: 'cpu-bound-callback', culprit: audience.uniqueIds }, () => audience.uniqueIds(ids));
