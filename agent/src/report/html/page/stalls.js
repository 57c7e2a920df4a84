// The stalls as a list, and all that is known of the one that is chosen.

const LISTED_MAX = 100;
const listed = { all: false };

function item(stall) {
  const culprit = stall.culprit ? place(stall.culprit) : stall.waits?.[0]?.call ?? '';
  const where = report.loops.length > 1 ? `${loopName(stall.of)} · ` : '';
  return make('button', {
    type: 'button', class: 'item', tabindex: -1, 'data-stall': stall.id,
    'aria-pressed': stall === chosen.stall,
  },
  make('b', { class: 'n' }, time(stall.duration_ns), stall.running ? ' …' : ''),
  make('span', { class: 'faint' }, moment(stall.at_ns)), ledger(stall, false),
  make('span', { class: 'culprit', title: culprit },
    `${where}${label(stall.cause)} `, make('code', {}, culprit)));
}

function drawStalls() {
  const focused = document.activeElement?.closest('#stalls') ? document.activeElement : null;
  const order = [...stalls];
  if ($('stalls-order').value === 'time') order.sort((a, b) => a.at_ns - b.at_ns);
  const shown = listed.all ? order : order.slice(0, LISTED_MAX);
  const items = shown.map(item);
  const first = items.find((one) => Number(one.dataset.stall) === chosen.stall?.id) ?? items[0];
  if (first) first.tabIndex = 0;
  if (shown.length < order.length) {
    const more = make('button', { type: 'button', class: 'more' },
      `show ${order.length - shown.length} more`);
    more.addEventListener('click', () => { listed.all = true; drawStalls(); });
    items.push(more);
  }
  $('stalls').replaceChildren(...items);
  if (focused) items.find((one) => one.dataset.stall === focused.dataset.stall)?.focus();
}

// The parts of a ledger, largest first, and those that were not told apart.
function ledgerTable(stall) {
  const parts = KEYS.filter((key) => stall.ledger_ns[key] > 0)
    .sort((a, b) => stall.ledger_ns[b] - stall.ledger_ns[a]);
  const rows = parts.map((key) => make('tr', {}, make('td', {}, mark(key), label(key)),
    make('td', { class: 'n' }, time(stall.ledger_ns[key])),
    make('td', { class: 'n' }, percent(stall.ledger_ns[key] / stall.duration_ns))));
  const dark = KEYS.filter((key) => stall.ledger_ns[key] === null && key !== 'unknown').map(label);
  const nodes = [make('table', { class: 'parts' }, make('tbody', {}, ...rows))];
  if (dark.length > 0) nodes.push(make('p', { class: 'faint' }, `not seen: ${dark.join(', ')}`));
  return nodes;
}

function facts(stall) {
  const phase = stall.phase ?? (stall.dark ? 'in a phase that was not seen' : 'outside of phases');
  const many = (number, name) => number > (name === 'callbacks' ? 1 : 0)
    ? [`${count(number)} ${name}`] : [];
  return [moment(stall.at_ns), `${loopName(stall.of)}, pid ${stall.of.pid}`, phase,
    ...many(stall.callbacks, 'callbacks'), ...many(stall.microtasks, 'microtasks'),
    ...(stall.counters ? [stall.counters] : [])].join(' · ');
}

function culpritOf({ culprit, culprit_samples: samples }) {
  if (!culprit) return [];
  const whole = samples === null ? 'its time' : `${count(samples)} samples`;
  const leaf = culprit.hot_leaf ? [', in ', make('code', {}, culprit.hot_leaf)] : [];
  return [make('h4', {}, 'Culprit'), make('p', { class: 'blame' },
    make('code', {}, culprit.function), make('br'),
    make('code', { class: 'faint' }, `${culprit.file}:${culprit.line}`), make('br'),
    `${percent(culprit.share)} of ${whole}`, ...leaf)];
}

function waitsOf({ waits }) {
  if (waits === null) return [make('p', { class: 'faint' }, 'What it waited for was not seen.')];
  if (waits.length === 0) return [];
  const rows = waits.map((wait) => make('tr', {},
    make('td', { class: 'n' }, time(wait.duration_ns)),
    make('td', {}, make('code', {}, `${wait.call} ${wait.subject ?? ''}`.trim()))));
  return [make('h4', {}, 'Waited for'), make('table', { class: 'parts' },
    make('tbody', {}, ...rows))];
}

function drainOf({ drain }) {
  if (drain === null) return [];
  const known = [[drain.queued, 'waited when it began'], [drain.waiting_max, 'waited at most']];
  const more = known.filter(([number]) => number !== null)
    .map(([number, text]) => `, ${count(number)} ${text}`);
  const rows = drain.reactions.map((of) => make('tr', {},
    make('td', { class: 'n' }, percent(of.share)),
    make('td', {}, make('code', {}, place({ ...of, function: of.function || '(anonymous)' })))));
  return [make('h4', {}, 'Longest drain'),
    make('p', {}, `${count(drain.jobs)} microtasks${more.join('')}`),
    make('table', { class: 'parts' }, make('tbody', {}, ...rows))];
}

function stackOf({ stack, stack_left_out: left }) {
  if (stack === null) return [make('p', { class: 'faint' }, 'No stack was taken of it.')];
  if (stack.length === 0) return [];
  const lines = stack.map((frame) => make('li', {}, make('code', {}, frame)));
  if (left > 0) lines.push(make('li', { class: 'faint' }, `and ${left} more`));
  return [make('h4', {}, 'Stack most often seen'), make('ol', { class: 'stack' }, ...lines)];
}

function drawStall() {
  const stall = chosen.stall;
  if (stall === null) return;
  const running = stall.running ? ', still running' : '';
  const title = make('h3', {}, `${time(stall.duration_ns)}${running} `,
    make('small', {}, `mostly ${label(stall.cause)}`));
  $('stall').replaceChildren(title, make('p', { class: 'faint' }, facts(stall)),
    ledger(stall, true), make('div', { class: 'pair' },
      make('div', {}, ...ledgerTable(stall)),
      make('div', {}, ...culpritOf(stall), ...waitsOf(stall), ...drainOf(stall))),
    ...stackOf(stall));
}

// The reader looks at this stall now.
function choose(stall) {
  chosen.stall = stall;
  for (const node of document.querySelectorAll('[data-stall]')) {
    node.setAttribute('aria-pressed', Number(node.dataset.stall) === stall.id);
  }
  drawStall();
  chosenForFlame();
}

function startStalls() {
  $('stalls-section').hidden = stalls.length === 0;
  const kept = stalls.filter((stall) => !stall.running).length;
  const ended = report.loops.reduce((sum, of) => sum + of.stalls_ended, 0);
  $('stalls-told').textContent = ended > kept
    ? `${count(kept)} of ${count(ended)}; details of the others were not kept` : '';
  $('stalls-order').addEventListener('change', drawStalls);
  $('stalls').addEventListener('click', (event) => {
    const id = event.target.closest('.item')?.dataset.stall;
    if (id !== undefined) choose(stalls[Number(id)]);
  });
  $('stalls').addEventListener('keydown', (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step === undefined || !isPlain(event)) return;
    event.preventDefault();
    const items = [...$('stalls').querySelectorAll('.item')];
    const at = items.indexOf(document.activeElement.closest('.item')) + step;
    focusOne(items, items[Math.min(Math.max(at, 0), items.length - 1)]);
  });
  drawStalls();
  drawStall();
}
