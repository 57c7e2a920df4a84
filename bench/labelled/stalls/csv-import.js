// wrong: An uploaded CSV file is split into lines and fields, all at once.
// see: Stalls of 100 ms and more in importRows.
'use strict';

const { run } = require('../support/truth');

const csv = Array.from({ length: 250_000 }, (_, id) => (
  `${id},"name ${id}",${id / 7},2024-02-29`)).join('\n');

function importRows(text) {
  let total = 0;
  for (const line of text.split('\n')) {
    const [id, name, price, date] = line.split(',');
    total += Number(price) + Number(id) + name.slice(1, -1).length + date.indexOf('-');
  }
  return total;
}

run({ cause: 'cpu-bound-callback', culprit: importRows }, () => importRows(csv));
