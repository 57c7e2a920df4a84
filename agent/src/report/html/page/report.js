// What was observed, and what of it the reader has chosen.

const report = JSON.parse($('data').textContent);

// What a part of the time is called, beside the keys of a ledger.
const PARTS = {
  older: 'older stalls, no longer listed', turns: 'shorter turns', idle: 'waiting for events',
  unseen: 'not seen',
};
const label = (key) => PARTS[key] ?? key.replace('_', ' ');

const percent = (share) => share > 0 && share < .001 ? '<0.1 %' : `${(100 * share).toFixed(1)} %`;

// Every stall, the longest first.
const stalls = report.loops
  .flatMap((of) => of.stalls.map((stall) => ({ ...stall, of })))
  .sort((a, b) => b.duration_ns - a.duration_ns);
stalls.forEach((stall, id) => { stall.id = id; });

const chosen = { stall: stalls[0] ?? null };

function loopName(of) {
  const thread = of.thread === 'main' && of.target !== '' ? '' : of.thread;
  return `${of.target} ${thread}`.trim();
}

// A moment of the observation: of the day, or since it began.
function moment(at) {
  if (report.clock === 'virtual' || report.begin_unix_ns === 0) return `+${time(at)}`;
  const unix = new Date(report.begin_unix_ns / 1e6 + at / 1e6);
  return `${unix.toISOString().slice(11, 23)} UTC`;
}

const noStalls = () => report.stall_threshold_ns === null
  ? 'No turn was long enough to be a stall.'
  : `No turn of at least ${time(report.stall_threshold_ns)}.`;

// An element of a drawing.
function svg(tag, attributes, ...children) {
  const node = document.createElementNS($('empty').namespaceURI, tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

// The keys of these parts, each with its colour.
function legend(keys) {
  return keys.map((key) => make('span', {}, mark(key), label(key)));
}

// Moves the focus among elements, one of which is reached by Tab.
function focusOne(all, next) {
  if (next === undefined) return;
  for (const one of all) one.tabIndex = one === next ? 0 : -1;
  next.focus();
}

const isPlain = (event) => !(event.ctrlKey || event.metaKey || event.altKey);
