// Asks once a second what is so, and draws it. What goes on grows by itself in between.

const ANSWER_MS = 3000;
const state = { now: null, got: 0, paused: false, asking: false, open: new Set() };

const clock = (ns) => new Date(ns / 1e6).toISOString().slice(11, 23);
const who = (of) => `${of.target || 'unknown'} ${of.thread === 'main' ? '' : of.thread}`.trim();
const id = (of) => `${of.pid}-${of.thread}-${of.start_unix_ns}`;
// What was so when it was asked is older by now.
const since = () => state.paused ? 0 : (performance.now() - state.got) * 1e6;

function wanted(of) {
  const text = $('filter').value.trim().toLowerCase();
  const all = [of.target, of.pid, of.thread, of.cause, of.culprit && place(of.culprit)];
  return text === '' || all.join(' ').toLowerCase().includes(text);
}

function drawRunning({ loops, stalls }) {
  const held = loops.filter((of) => of.held_up && wanted(of));
  $('running').replaceChildren(...held.map((of) => {
    const age = make('b', { 'data-age': of.current_turn_ns }, time(of.current_turn_ns));
    const box = make('div', { class: 'held-now' }, age, ` in one turn: ${who(of)}, pid ${of.pid}`);
    const stall = stalls.find((one) => one.running && one.pid === of.pid
      && one.thread === of.thread);
    if (stall?.culprit) box.append(make('p', {}, make('code', {}, place(stall.culprit))));
    if (stall?.waits.length > 0) box.append(make('p', {}, `waits: ${stall.waits.join(', ')}`));
    if (stall) box.append(ledger(stall, true));
    return box;
  }));
}

function drawDiagnoses({ diagnoses }) {
  const shown = diagnoses.slice(0, 5).map((of) => {
    const healthy = of.id === 'healthy';
    const where = healthy ? '' : ` – pid ${of.pid} ${of.thread}`;
    const box = make('div', { class: healthy ? 'diagnosis healthy' : 'diagnosis' },
      make('h3', {}, `${of.id}${where}: ${of.summary}`));
    if (!healthy) {
      box.append(make('ul', {}, ...of.evidence.map((line) => make('li', {}, line))));
      box.append(make('p', {}, of.advice));
    }
    return box;
  });
  $('diagnoses').replaceChildren(...shown);
}

function drawLoops({ loops, loops_count: all }) {
  const rows = loops.filter(wanted).map((of) => {
    const used = make('meter', { min: 0, max: 1, high: .8, optimum: 0,
      value: of.utilization ?? 0 });
    const share = of.utilization === null ? '–' : `${(100 * of.utilization).toFixed(1)} % `;
    const now = of.held_up
      ? make('span', { 'data-age': of.current_turn_ns }, time(of.current_turn_ns))
      : of.ended ? 'ended' : of.current_turn_ns > 0 ? 'runs' : 'waits';
    const cell = (...content) => make('td', { class: 'n' }, ...content);
    return make('tr', { class: of.held_up ? 'held' : of.ended ? 'faint' : '' },
      make('td', {}, of.target || 'unknown'), make('td', {}, of.pid), make('td', {}, of.thread),
      make('td', { class: 'n now' }, now), cell(share, of.utilization === null ? '' : used),
      cell(time(of.turn_p99_ns)), cell(time(of.lateness_p99_ns)), cell(count(of.drain_max)),
      cell(count(of.stalls)), cell(of.stalls > 0 ? time(of.stalled_ns) : '–'),
      make('td', {}, `${of.source ?? ''} ${of.tier ?? '–'}`, of.sampled ? ' (sampled)' : ''));
  });
  $('loops').tBodies[0].replaceChildren(...rows);
  $('loops-count').textContent = all > loops.length ? `${loops.length} of ${all}` : String(all);
}

function more(of) {
  const box = make('div', { class: 'more' }, ledger(of, true));
  const parts = KEYS.filter((key) => of.ledger_ns[key] > 0);
  box.append(make('p', {}, parts.map((key) => `${key} ${time(of.ledger_ns[key])}`).join(' · ')));
  if (of.microtasks) box.append(make('p', {}, `${count(of.microtasks)} microtasks`));
  if (of.waits.length > 0) box.append(make('p', {}, `waited for ${of.waits.join(', ')}`));
  box.append(make('pre', {}, of.stack.length > 0 ? of.stack.join('\n') : 'no stack was taken'));
  return box;
}

function drawStalls({ stalls }) {
  const focused = document.activeElement?.parentElement?.dataset?.id;
  const shown = stalls.filter(wanted).map((of) => {
    const culprit = of.culprit ? place(of.culprit) : of.waits[0] ?? '';
    const lasted = make('span', { class: 'n' }, time(of.duration_ns), of.running ? ' …' : '');
    const line = make('summary', {}, make('span', { class: 'faint' }, clock(of.start_unix_ns)),
      lasted, make('span', { class: 'who' }, `${who(of)} (${of.pid})`), ledger(of, false),
      make('code', { class: 'culprit', title: culprit }, `${of.cause}  ${culprit}`));
    const box = make('details', { class: 'stall', role: 'listitem', 'data-id': id(of) }, line);
    if (state.open.has(id(of))) {
      box.open = true;
      box.append(more(of));
    }
    box.addEventListener('toggle', () => {
      if (box.open) state.open.add(id(of));
      else state.open.delete(id(of));
      if (box.open && !box.querySelector('.more')) box.append(more(of));
    });
    return box;
  });
  if (shown.length === 0) shown.push(make('p', { class: 'faint' }, 'none so far'));
  $('stalls').replaceChildren(...shown);
  if (focused) {
    const again = [...$('stalls').children].find((box) => box.dataset.id === focused);
    again?.querySelector('summary').focus();
  }
}

function draw() {
  if (!state.now) return;
  drawRunning(state.now);
  drawDiagnoses(state.now);
  drawLoops(state.now);
  drawStalls(state.now);
  const { targets, loops_count: loops, wall_ns: wall } = state.now;
  $('summary').className = '';
  $('summary').textContent = `${targets} processes, ${loops} loops, observed for ${time(wall)}`
    + (state.paused ? ', paused' : '');
}

async function ask() {
  if (state.paused || state.asking) return;
  state.asking = true;
  // One that takes the question and never answers is as bad as one that is gone.
  const abort = new AbortController();
  const late = setTimeout(() => abort.abort(new Error('for too long')), ANSWER_MS);
  try {
    const answer = await fetch('/api/now', { cache: 'no-store', signal: abort.signal });
    if (!answer.ok) throw new Error(`it answers ${answer.status}`);
    const now = await answer.json();
    if (state.paused) return;
    Object.assign(state, { now, got: performance.now() });
    draw();
  } catch (error) {
    $('summary').className = 'bad';
    $('summary').textContent = `loopscope does not answer (${error.message}); what is shown is `
      + `${((performance.now() - state.got) / 1000).toFixed(0)} s old`;
  } finally {
    clearTimeout(late);
    state.asking = false;
  }
}

function grow() {
  for (const node of document.querySelectorAll('[data-age]')) {
    node.textContent = time(Number(node.dataset.age) + since());
  }
}

function move(step) {
  const lines = [...document.querySelectorAll('details.stall > summary')];
  const at = lines.indexOf(document.activeElement);
  lines[Math.min(Math.max(at + step, 0), lines.length - 1)]?.focus();
}

function pause() {
  state.paused = !state.paused;
  $('pause').setAttribute('aria-pressed', state.paused);
  draw();
}

addEventListener('keydown', (event) => {
  const typing = document.activeElement === $('filter');
  if (typing && event.key !== 'Escape') return;
  const does = {
    ArrowDown: () => move(1), ArrowUp: () => move(-1), j: () => move(1), k: () => move(-1),
    p: pause, '/': () => $('filter').focus(), Escape: () => {
      $('filter').value = '';
      document.activeElement.blur();
      draw();
    },
  }[event.key];
  if (!does || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  does();
});
$('filter').addEventListener('input', draw);
$('pause').addEventListener('click', pause);
$('legend').append(...KEYS.flatMap((key) => [mark(key), key]));
setInterval(ask, 1000);
setInterval(grow, 100);
ask();
