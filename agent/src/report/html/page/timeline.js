// Each loop over time: how busy it was, and its stalls as blocks. All loops have one axis.

const view = { from: 0, to: report.length_ns };
// Whether anybody noted how busy loops were; else stalls alone are drawn.
const isRecorded = report.loops.some((of) => of.columns.length > 0);
const share = (at) => 100 * (at - view.from) / (view.to - view.from);

function area(of) {
  const known = of.columns.filter((column) => column.utilization !== null
    && column.to_ns > view.from && column.from_ns < view.to);
  if (known.length === 0) return [];
  const x = (at) => (10 * Math.min(Math.max(share(at), 0), 100)).toFixed(1);
  const parts = known.map(({ from_ns: from, to_ns: to, utilization: busy }) =>
    `M${x(from)} 100V${(100 - 100 * busy).toFixed(1)}H${x(to)}V100Z`);
  const path = svg('path', { d: parts.join('') });
  const stretched = { viewBox: '0 0 1000 100', preserveAspectRatio: 'none' };
  return [svg('svg', { ...stretched, 'aria-hidden': 'true' }, path)];
}

// Where it was stalled by what is no longer listed.
function forgotten(of) {
  const isListed = (column) => of.stalls.some((stall) => stall.at_ns < column.to_ns
    && stall.at_ns + stall.duration_ns > column.from_ns);
  return of.columns.filter((column) => column.stall_ns > 0 && !isListed(column)).map((column) => {
    const title = `stalled for ${time(column.stall_ns)}; details overwritten`;
    const node = make('i', { class: 'forgotten', title });
    node.style.left = `${share(column.from_ns)}%`;
    node.style.width = `${share(column.to_ns) - share(column.from_ns)}%`;
    return node;
  });
}

function told(stall) {
  const running = stall.running ? ', still running' : '';
  const culprit = stall.culprit ? `, ${place(stall.culprit)}` : '';
  return `${time(stall.duration_ns)}${running} at ${moment(stall.at_ns)}, `
    + `mostly ${label(stall.cause)}${culprit}`;
}

function block(stall) {
  const node = make('button', {
    type: 'button', class: stall.running ? 'block running' : 'block', tabindex: -1,
    title: told(stall), 'aria-label': `stall of ${told(stall)}`, 'data-stall': stall.id,
    'aria-pressed': stall === chosen.stall,
  });
  node.style.left = `${share(stall.at_ns)}%`;
  node.style.width = `${share(stall.at_ns + stall.duration_ns) - share(stall.at_ns)}%`;
  node.style.background = `var(--${stall.cause})`;
  return node;
}

function row(of) {
  const busy = of.utilization === null ? 'utilisation not seen' : `${percent(of.utilization)} busy`;
  const many = of.stalls_ended + of.stalls.filter((stall) => stall.running).length;
  const text = many === 0 ? busy : `${busy}, ${count(many)} ${many === 1 ? 'stall' : 'stalls'}`;
  const name = make('div', { class: 'name' }, make('b', { title: loopName(of) }, loopName(of)),
    make('small', {}, `pid ${of.pid}`), make('small', {}, text));
  const shown = stalls.filter((stall) => stall.of === of && stall.at_ns < view.to
    && stall.at_ns + stall.duration_ns > view.from);
  shown.sort((a, b) => a.at_ns - b.at_ns);
  const lane = make('div', { class: 'lane', role: 'group', 'aria-label': loopName(of) },
    ...area(of), ...forgotten(of), ...shown.map(block));
  if (of.columns.length === 0 && isRecorded) {
    lane.classList.add('dark');
    lane.title = 'how busy it was in between was not seen';
  }
  return make('div', { class: 'row' }, name, lane);
}

// Marks at round moments, as many as there is room for.
function axis() {
  const room = Math.max($('timeline').querySelector('.lane').clientWidth / 90, 2);
  const least = (view.to - view.from) / room;
  const size = 10 ** Math.floor(Math.log10(least));
  const step = [1, 2, 5, 10].map((times) => times * size).find((one) => one >= least);
  const marks = [];
  for (let at = Math.ceil(view.from / step) * step; at <= view.to; at += step) {
    const node = make('span', { title: moment(at) }, at === 0 ? '0' : `+${time(at)}`);
    node.style.left = `${share(at)}%`;
    marks.push(node);
  }
  return make('div', { class: 'row' }, make('div', { class: 'name' }),
    make('div', { class: 'axis', 'aria-hidden': 'true' }, ...marks));
}

function drawTimeline() {
  const focused = document.activeElement?.dataset?.stall;
  $('timeline').replaceChildren(...report.loops.map(row));
  $('timeline').append(axis());
  const blocks = [...$('timeline').querySelectorAll('.block')];
  const now = blocks.find((one) => Number(one.dataset.stall) === chosen.stall?.id) ?? blocks[0];
  if (now) now.tabIndex = 0;
  blocks.find((one) => one.dataset.stall === focused)?.focus();
  $('time-all').disabled = view.from === 0 && view.to === report.length_ns;
}

function zoomTo(from, to) {
  const least = Math.min(1e3, report.length_ns);
  const width = Math.min(Math.max(to - from, least), report.length_ns);
  view.from = Math.min(Math.max(from, 0), report.length_ns - width);
  view.to = view.from + width;
  drawTimeline();
}

// Zooms round the chosen stall if it is in sight, else round the middle.
function zoomBy(factor) {
  const at = chosen.stall ? chosen.stall.at_ns + chosen.stall.duration_ns / 2 : -1;
  const middle = at >= view.from && at <= view.to ? at : (view.from + view.to) / 2;
  zoomTo(middle - (middle - view.from) * factor, middle + (view.to - middle) * factor);
}

// To the stall beside the one that has the focus, or to the loop above or below.
function stepTimeline(event, sideways, down) {
  const lanes = [...$('timeline').querySelectorAll('.lane')]
    .map((lane) => [...lane.querySelectorAll('.block')]).filter((lane) => lane.length > 0);
  const at = lanes.findIndex((lane) => lane.includes(event.target));
  if (at < 0) return;
  const place = lanes[at].indexOf(event.target) + sideways;
  const lane = lanes[Math.min(Math.max(at + down, 0), lanes.length - 1)];
  const near = (one) => Math.abs(parseFloat(one.style.left) - parseFloat(event.target.style.left));
  const next = down === 0 ? lane[Math.min(Math.max(place, 0), lane.length - 1)]
    : lane.reduce((best, one) => near(one) < near(best) ? one : best);
  focusOne(lanes.flat(), next);
}

function drag(event) {
  const lane = event.target.closest('.lane');
  if (lane === null || event.button !== 0) return;
  const box = lane.getBoundingClientRect();
  const at = (x) => view.from + (view.to - view.from) * (x - box.left) / box.width;
  const shade = make('i', { class: 'shade' });
  const begin = event.clientX;
  const move = (next) => {
    if (Math.abs(next.clientX - begin) < 5) return;
    if (!shade.isConnected) lane.append(shade);
    shade.style.left = `${share(at(Math.min(begin, next.clientX)))}%`;
    shade.style.width = `${100 * Math.abs(next.clientX - begin) / box.width}%`;
  };
  addEventListener('pointermove', move);
  addEventListener('pointerup', (end) => {
    removeEventListener('pointermove', move);
    if (!shade.isConnected) return;
    const ends = [at(begin), at(end.clientX)].sort((a, b) => a - b);
    zoomTo(...ends);
  }, { once: true });
}

function startTimeline() {
  const none = stalls.length === 0;
  const gone = report.loops_left_out;
  const texts = [none && report.loops.length > 0 ? noStalls() : '',
    !report.begin_is_known && !none
      ? 'from the first stall to the last; when the observation began is not known' : '',
    isRecorded || none ? '' : 'what was between stalls was not recorded',
    gone > 0 ? `the worst ${report.loops.length} loops of ${report.loops.length + gone}` : ''];
  $('timeline-told').textContent = texts.filter((text) => text !== '').join('; ');
  const causes = KEYS.filter((key) => stalls.some((stall) => stall.cause === key));
  $('timeline-legend').replaceChildren(...legend([...causes, ...(isRecorded ? ['busy'] : [])]));
  $('timeline').addEventListener('pointerdown', drag);
  $('timeline').addEventListener('click', (event) => {
    const id = event.target.closest('.block')?.dataset.stall;
    if (id !== undefined) choose(stalls[Number(id)]);
  });
  $('timeline').addEventListener('keydown', (event) => {
    const act = {
      ArrowLeft: () => stepTimeline(event, -1, 0), ArrowRight: () => stepTimeline(event, 1, 0),
      ArrowUp: () => stepTimeline(event, 0, -1), ArrowDown: () => stepTimeline(event, 0, 1),
      '+': () => zoomBy(.5), '-': () => zoomBy(2), 0: () => zoomTo(0, report.length_ns),
    }[event.key];
    if (!act || !isPlain(event)) return;
    event.preventDefault();
    act();
  });
  $('time-in').addEventListener('click', () => zoomBy(.5));
  $('time-out').addEventListener('click', () => zoomBy(2));
  $('time-all').addEventListener('click', () => zoomTo(0, report.length_ns));
  drawTimeline();
}
