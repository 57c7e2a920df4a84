// wrong: A report of 250 pages, each a table of 600 rows, is rendered in one go.
// see: Stalls of 100 ms and more in renderTable, some of it in escape.
'use strict';

const { run } = require('../support/truth');

const entities = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
const rows = Array.from({ length: 600 }, (_, id) => (
  { id, name: id % 10 ? `nuts ${id}` : `nuts & bolts`, price: id / 7, sold: new Date(id * 1e9) }));

function renderTable(items) {
  const escape = (text) => text.replace(/[&<>"]/g, (char) => entities[char]);
  let html = '<table>';
  for (const { id, name, price, sold } of items) {
    html += `<tr id="r${id}"><td>${escape(name)}</td><td>${price.toFixed(2)} EUR</td>`;
    html += `<td>${(price * 1.19).toFixed(2)} EUR</td><td>${sold.toISOString()}</td></tr>`;
  }
  return Buffer.byteLength(`${html}</table>`);
}

run({ cause: 'cpu-bound-callback', culprit: renderTable }, () => {
  for (let page = 0; page < 250; page++) renderTable(rows);
});
