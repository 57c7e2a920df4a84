// Where all of a loop's time went, and its histograms.

const CHART = { width: 320, height: 110, left: 8, right: 8, top: 30, bottom: 18 };

function wallBar(of) {
  const whole = of.wall.reduce((sum, part) => sum + part.ns, 0);
  const texts = of.wall.map((part) => `${label(part.key)} ${time(part.ns)}`);
  const bar = make('span', { class: 'ledger large', role: 'img', 'aria-label': texts.join(', ') });
  for (const { key, ns } of of.wall) {
    const part = make('i', { class: key,
      title: `${label(key)}: ${time(ns)}, ${percent(ns / whole)}` });
    part.style.width = `${100 * ns / whole}%`;
    part.style.background = `var(--${key})`;
    bar.append(part);
  }
  const told = of.wall.map(({ key, ns }) => make('span', {}, mark(key),
    `${label(key)} ${percent(ns / whole)}`));
  return make('div', { class: 'row' }, make('div', { class: 'name' },
    make('b', { title: loopName(of) }, loopName(of)), make('small', {}, time(whole))),
  make('div', {}, bar, make('p', { class: 'legend' }, ...told)));
}

function startWall() {
  $('wall').replaceChildren(...report.loops.map(wallBar));
}

// From a value to its place on a logarithmic axis. Below the first bar there is no room.
function scaleOf(chart) {
  const from = Math.max(chart.bars[0][0], chart.bars[0][1] / 2, chart.unit === '' ? .9 : 1);
  const to = Math.max(chart.bars.at(-1)[1], from * 10);
  const room = CHART.width - CHART.left - CHART.right;
  const x = (value) => CHART.left + room
    * (Math.log(Math.min(Math.max(value, from), to)) - Math.log(from))
    / (Math.log(to) - Math.log(from));
  return { from, to, x };
}

const times = (many) => many === 1 ? 'once' : `${count(many)} times`;
const unitOf = (chart) => chart.unit === 'ns' ? time : count;
const short = (text) => text.replace(/(\.\d*?)0+(?=\D|$)/, '$1').replace(/\.(?=\D|$)/, '');

function decades(chart, { from, to, x }) {
  const base = CHART.height - CHART.bottom;
  const first = Math.ceil(Math.log10(from) - 1e-9);
  const last = Math.floor(Math.log10(to) + 1e-9);
  const every = Math.ceil((last - first + 1) / 6);
  const nodes = [];
  for (let power = first; power <= last; power++) {
    const at = x(10 ** power);
    nodes.push(svg('line', { class: 'grid', x1: at, x2: at, y1: CHART.top, y2: base }));
    if ((power - first) % every !== 0) continue;
    const anchor = at < 24 ? 'start' : at > CHART.width - 24 ? 'end' : 'middle';
    nodes.push(svg('text', { class: 'axis', x: at, y: base + 13, 'text-anchor': anchor },
      short(unitOf(chart)(10 ** power))));
  }
  return nodes;
}

// Quantiles as lines; names that would touch stand in rows.
function quantiles(chart, { x }) {
  const { p50, p90, p99, max } = chart.summary;
  const ends = [-Infinity, -Infinity];
  return [['p50', p50], ['p90', p90], ['p99', p99], ['max', max]].flatMap(([name, value]) => {
    const place = x(value);
    const row = ends.findIndex((end) => place - 13 > end);
    const line = svg('line', { class: `quantile ${name}`, x1: place, x2: place,
      y1: CHART.top - 4, y2: CHART.height - CHART.bottom });
    if (row < 0) return [line];
    ends[row] = place + 13;
    const middle = Math.min(Math.max(place, 13), CHART.width - 13);
    return [line, svg('text', { class: 'name', x: middle, y: 11 + row * 11,
      'text-anchor': 'middle' }, name)];
  });
}

function picture(chart) {
  const scale = scaleOf(chart);
  const most = Math.max(...chart.bars.map((bar) => bar[2]));
  const base = CHART.height - CHART.bottom;
  const bars = chart.bars.map(([from, to, many]) => {
    const left = scale.x(from);
    const height = (base - CHART.top) * Math.log(1 + many) / Math.log(1 + most);
    const bar = svg('rect', { x: left, y: base - height, height,
      width: Math.max(scale.x(to) - left - .4, 1.2) });
    bar.append(svg('title', {}, `${unitOf(chart)(from)} to ${unitOf(chart)(to)}`
      + (chart.counted ? `: ${count(many)}` : '')));
    return bar;
  });
  const drawn = svg('svg', { viewBox: `0 0 ${CHART.width} ${CHART.height}`, role: 'img',
    'aria-label': `${chart.name}: ${summary(chart)}` }, ...decades(chart, scale), ...bars,
  ...quantiles(chart, scale));
  return drawn;
}

function summary(chart) {
  const { count: many, p50, p90, p99, p999, max } = chart.summary;
  const tell = unitOf(chart);
  const values = [['p50', p50], ['p90', p90], ['p99', p99], ['p99.9', p999], ['max', max]]
    .map(([name, value]) => `${name} ${tell(value)}`);
  return [...(chart.counted ? [times(many)] : []), ...values].join(', ');
}

function figure(chart) {
  const phase = `--phase-${chart.name}`;
  const { p50, p90, p99, max, count: many } = chart.summary;
  const tell = unitOf(chart);
  const cells = [['p50', p50], ['p90', p90], ['p99', p99], ['max', max]].map(([name, value]) =>
    make('div', {}, make('dt', {}, name), make('dd', {}, tell(value))));
  const unit = chart.unit === 'ns' ? '' : ', number';
  const node = make('figure', { class: 'card' },
    make('figcaption', {}, make('b', {}, chart.name),
      make('small', {}, chart.counted ? `${times(many)}${unit}` : 'at a random instant')),
    picture(chart), make('dl', {}, ...cells));
  if (chart.group === 'Phases') node.style.setProperty('--bar', `var(${phase})`);
  return node;
}

function chartsOf(of) {
  const groups = ['Delays', 'Drains', 'Phases'].flatMap((group) => {
    const charts = of.charts.filter((chart) => chart.group === group);
    return charts.length === 0 ? []
      : [make('h4', {}, group), make('div', { class: 'charts' }, ...charts.map(figure))];
  });
  const none = of.none.length > 0
    ? [make('p', {}, `Measured, but did not happen: ${of.none.join(', ')}.`)] : [];
  const unseen = of.unseen.map(([why, names]) =>
    make('p', { class: 'faint' }, `Not measured: ${names.join(', ')} (${why}).`));
  return [...groups, ...none, ...unseen];
}

// The histograms of each loop; those of the first are open. Others are drawn when they are opened.
function startFigures() {
  $('figures').replaceChildren(...report.loops.map((of, number) => {
    const turns = of.turns === null ? 'turns not counted' : `${count(of.turns)} turns`;
    const box = make('details', { class: 'loop' }, make('summary', {},
      make('b', {}, loopName(of)), make('small', {}, ` pid ${of.pid} · ${turns}`)));
    const open = () => {
      if (box.children.length === 1) box.append(...chartsOf(of));
    };
    box.addEventListener('toggle', open);
    if (number === 0) {
      box.open = true;
      open();
    }
    return box;
  }));
}
