// Draws one dashboard from what a Prometheus has answered to its queries. It is no Grafana: it
// takes places, titles, units, colours and thresholds from the dashboard's JSON, and draws the
// figures plainly, so that one can see whether the queries tell what their panels say. `DATA` is
// put in front of it: the dashboard, the answers by panel and query, and the stretch of time.
'use strict';

const COLUMN = 58;
const LINE = 36;
const GAP = 8;
const NAMED = { green: '#3f8f3a', orange: '#d9731a', red: '#c9252d' };
const PALETTE = [
  '#3274D9', '#E0B400', '#A352CC', '#1F9E89', '#F2762E', '#E02F44', '#56A64B', '#A0794A',
];
const TIME_UNITS = [[3600, ' h'], [60, ' min'], [1, ' s'], [1e-3, ' ms'], [1e-6, ' µs']];
const BYTE_UNITS = [[2 ** 30, ' GiB'], [2 ** 20, ' MiB'], [2 ** 10, ' KiB'], [1, ' B']];
const PLAIN_UNITS = [[1e9, ' G'], [1e6, ' M'], [1e3, ' K'], [1, '']];
const drawn = { panels: 0, empty: [], errors: [] };
window.addEventListener('error', (event) => drawn.errors.push(event.message));

function element(tag, attributes, ...children) {
  const isDrawn = ['svg', 'path', 'rect', 'line', 'text'].includes(tag);
  const space = isDrawn ? 'http://www.w3.org/2000/svg' : 'http://www.w3.org/1999/xhtml';
  const made = document.createElementNS(space, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

// A figure in its unit, with three digits.
function write(value, unit) {
  if (value === null || !Number.isFinite(value)) return '';
  const digits = (number) => String(Number(number.toPrecision(3)));
  const scaled = (steps) => {
    const found = steps.find(([least]) => Math.abs(value) >= least);
    const [size, name] = found ?? steps[steps.length - 1];
    return `${digits(value / size)}${name}`;
  };
  if (value === 0) return unit === 'percentunit' ? '0 %' : '0';
  if (unit === 's') return scaled(TIME_UNITS);
  if (unit === 'percentunit') return `${digits(value * 100)} %`;
  if (unit === 'bytes') return scaled(BYTE_UNITS);
  const number = scaled(PLAIN_UNITS);
  return unit === 'ops' ? `${number}/s` : number;
}

// What a legend says of one series.
function legend(template, labels) {
  return template.replace(/{{(\w+)}}/g, (_, name) => labels[name] ?? '');
}

function colourOf(panel, name) {
  for (const { matcher, properties } of panel.fieldConfig.overrides) {
    const color = properties.find((property) => property.id === 'color');
    if (matcher.id === 'byName' && matcher.options === name && color) return color.value.fixedColor;
  }
  const sum = [...name].reduce((hash, char) => (hash * 31 + char.codePointAt(0)) % 4093, 7);
  return PALETTE[sum % PALETTE.length];
}

function thresholdColour(thresholds, value) {
  const passed = thresholds.steps.filter((step) => step.value === null || value >= step.value);
  return NAMED[passed[passed.length - 1].color];
}

// The series of a panel over time: a value or `null` at each step.
function seriesOf(panel, answers) {
  const { from, to, step } = DATA;
  const count = Math.round((to - from) / step) + 1;
  return panel.targets.flatMap((target, index) => answers[index].map(({ metric, values }) => {
    const points = new Array(count).fill(null);
    for (const [time, text] of values) {
      const value = Number(text);
      if (Number.isFinite(value)) points[Math.round((time - from) / step)] = value;
    }
    return { name: legend(target.legendFormat, metric), labels: metric, points };
  })).filter((series) => series.points.some((value) => value !== null));
}

// A round number that is not below `value`.
function roundUp(value) {
  if (value <= 0) return 1;
  const size = 10 ** Math.floor(Math.log10(value));
  const rounded = [1, 1.2, 1.6, 2, 4, 6, 8, 10].map((part) => part * size);
  return rounded.find((one) => one >= value * 0.999);
}

function axes(svg, box, most, unit) {
  for (let part = 0; part <= 4; part += 1) {
    const y = box.y + box.h * (1 - part / 4);
    svg.append(element('line', { x1: box.x, x2: box.x + box.w, y1: y, y2: y, class: 'grid' }));
    const label = write(most * part / 4, unit);
    svg.append(element('text', { x: box.x - 5, y: y + 4, class: 'left' }, label));
  }
  times(svg, box);
}

function times(svg, box) {
  const parts = box.w > 300 ? 3 : 2;
  for (let part = 0; part <= parts; part += 1) {
    const at = new Date((DATA.from + (DATA.to - DATA.from) * part / parts) * 1000);
    const x = box.x + box.w * part / parts;
    const text = at.toISOString().slice(11, 19);
    const side = part === parts ? 'left' : 'right';
    svg.append(element('text', { x, y: box.y + box.h + 14, class: side }, text));
  }
}

function limits(svg, box, most, thresholds) {
  for (const { color, value } of thresholds.steps) {
    if (value === null || value > most) continue;
    const y = box.y + box.h * (1 - value / most);
    const ends = { x1: box.x, x2: box.x + box.w, y1: y, y2: y };
    svg.append(element('line', { ...ends, class: 'limit', stroke: NAMED[color] }));
  }
}

// One line a stretch without a gap; a point that stands alone is a dot.
function line(svg, box, most, series, colour) {
  const width = box.w / (series.points.length - 1);
  const dashed = series.name.endsWith('p50') ? '6 4' : 'none';
  const y = (value) => box.y + box.h * (1 - Math.min(value / most, 1));
  const at = (value, index) => `${box.x + index * width} ${y(value)}`;
  let path = '';
  series.points.forEach((value, index, all) => {
    if (value === null) return;
    const alone = (all[index - 1] ?? null) === null && (all[index + 1] ?? null) === null;
    path += (all[index - 1] ?? null) === null ? `M${at(value, index)}` : `L${at(value, index)}`;
    if (alone) path += 'h2';
  });
  const look = { class: 'curve', stroke: colour, 'stroke-dasharray': dashed };
  svg.append(element('path', { d: path, ...look }));
}

// Bars or areas on top of one another: each is drawn as bars a step wide.
function stack(svg, box, most, all, panel) {
  const count = all[0].points.length;
  const bars = panel.fieldConfig.defaults.custom.drawStyle === 'bars';
  const width = box.w / count;
  for (let index = 0; index < count; index += 1) {
    let below = 0;
    for (const series of all) {
      const value = series.points[index] ?? 0;
      if (value <= 0) continue;
      const height = box.h * value / most;
      const y = box.y + box.h * (1 - below / most) - height;
      const fill = colourOf(panel, series.name);
      const shown = bars ? width * 0.85 : width + 0.3;
      const opacity = bars ? 0.9 : 0.6;
      const x = box.x + index * width;
      svg.append(element('rect', { x, y, width: shown, height, fill, opacity }));
      below += value;
    }
  }
}

function legends(all, panel, unit) {
  const rows = all.map((series) => {
    const values = series.points.filter((value) => value !== null);
    const swatch = element('i', { style: `background:${colourOf(panel, series.name)}` });
    const last = element('b', {}, write(values[values.length - 1], unit));
    const most = ` max ${write(Math.max(...values), unit)}`;
    return element('span', {}, swatch, `${series.name} `, last, most);
  });
  return element('div', { class: 'legend' }, ...rows);
}

function timeseries(panel, answers, size) {
  const all = seriesOf(panel, answers);
  if (all.length === 0) return null;
  const { defaults } = panel.fieldConfig;
  const stacked = defaults.custom.stacking.mode === 'normal';
  const sums = all[0].points.map((_, index) => {
    const values = all.map((series) => series.points[index] ?? 0);
    return stacked ? values.reduce((sum, value) => sum + value, 0) : Math.max(...values);
  });
  const most = defaults.max ?? roundUp(Math.max(...sums));
  const lines = Math.ceil(all.length / (size.w > 500 ? 3 : 2));
  const height = size.h - Math.min(16 * lines, 64) - 4;
  const svg = element('svg', { width: size.w, height });
  const box = { x: 56, y: 8, w: size.w - 68, h: height - 30 };
  axes(svg, box, most, defaults.unit);
  if (stacked) stack(svg, box, most, all, panel);
  else all.forEach((series) => line(svg, box, most, series, colourOf(panel, series.name)));
  const isMarked = defaults.custom.thresholdsStyle.mode === 'dashed';
  if (isMarked) limits(svg, box, most, defaults.thresholds);
  return [svg, legends(all, panel, defaults.unit)];
}

const bound = (le) => Number(le.replace('+Inf', 'Infinity'));

// The counts between neighbouring buckets, of which the server has sums.
function cells(answers) {
  const series = answers[0].filter(({ metric }) => metric.le !== undefined)
    .map(({ metric, values }) => ({ le: bound(metric.le), at: new Map(values) }))
    .sort((one, other) => one.le - other.le);
  const times = [...new Set(series.flatMap(({ at }) => [...at.keys()]))];
  const rows = series.map(({ le, at }, row) => {
    const below = row === 0 ? new Map() : series[row - 1].at;
    const upTo = (counts, time) => Number(counts.get(time) ?? 0);
    const count = (time) => Math.max(0, upTo(at, time) - upTo(below, time));
    return { le, counts: times.map((time) => [time, count(time)]) };
  });
  const used = rows.map(({ counts }) => counts.some(([, count]) => count > 0));
  return rows.slice(Math.max(0, used.indexOf(true)), used.lastIndexOf(true) + 1);
}

function heatmap(panel, answers, size) {
  const rows = cells(answers);
  if (rows.length === 0) return null;
  const svg = element('svg', { width: size.w, height: size.h });
  const box = { x: 56, y: 8, w: size.w - 68, h: size.h - 30 };
  const most = Math.max(...rows.flatMap(({ counts }) => counts.map(([, count]) => count)));
  const height = box.h / rows.length;
  const width = box.w * DATA.step / (DATA.to - DATA.from + DATA.step);
  rows.forEach(({ le, counts }, row) => {
    const y = box.y + box.h - (row + 1) * height;
    for (const [time, count] of counts) {
      if (count <= 0) continue;
      const x = box.x + (time - DATA.from) / DATA.step * width;
      const opacity = 0.12 + 0.88 * Math.sqrt(count / most);
      const place = { x, y, width: width - 0.5, height: height - 1 };
      svg.append(element('rect', { ...place, fill: '#c2410c', opacity }));
    }
    const named = rows.length < 10 || row % 2 === 0;
    const label = le === Infinity ? 'more' : write(le, 's');
    const mark = element('text', { x: box.x - 5, y: y + 4, class: 'left' }, label);
    if (named) svg.append(mark);
  });
  times(svg, box);
  return [svg];
}

function stat(panel, answers, size) {
  const found = answers[0].find(({ value }) => Number.isFinite(Number(value[1])));
  if (!found) return null;
  const value = Number(found.value[1]);
  const { unit, thresholds } = panel.fieldConfig.defaults;
  const isNamed = panel.options.textMode === 'value_and_name';
  const name = isNamed ? legend(panel.targets[0].legendFormat, found.metric) : '';
  const style = `background:${thresholdColour(thresholds, value)};height:${size.h}px`;
  return [element('div', { class: 'stat', style }, name, element('b', {}, write(value, unit)))];
}

function table(panel, answers) {
  const order = panel.transformations.find(({ id }) => id === 'organize').options.indexByName;
  const names = Object.keys(order).filter((name) => !name.startsWith('Value'));
  const labels = names.sort((one, other) => order[one] - order[other]);
  const columns = panel.targets.map((target) => target.legendFormat);
  const rows = new Map();
  answers.forEach((series, column) => series.forEach(({ metric, value }) => {
    const key = labels.map((label) => metric[label] ?? '').join('\u0000');
    if (!rows.has(key)) rows.set(key, { metric, values: columns.map(() => null) });
    rows.get(key).values[column] = Number(value[1]);
  }));
  if (rows.size === 0) return null;
  const first = ({ values }) => values[0] ?? -1;
  const sorted = [...rows.values()].sort((one, other) => first(other) - first(one));
  const head = element('tr', {}, ...[...labels, ...columns].map((name) => element('th', {}, name)));
  const body = sorted.map(({ metric, values }) => element(
    'tr',
    {},
    ...labels.map((label) => element('td', {}, metric[label] ?? '')),
    ...values.map((value, column) => figure(panel, columns[column], value)),
  ));
  return [element('table', {}, head, ...body)];
}

function figure(panel, column, value) {
  const { overrides } = panel.fieldConfig;
  const { properties } = overrides.find(({ matcher }) => matcher.options === column);
  const property = (id) => properties.find((one) => one.id === id).value;
  const isPlain = property('thresholds').steps.length === 1 || !Number.isFinite(value);
  const colour = isPlain ? 'inherit' : thresholdColour(property('thresholds'), value);
  const style = `color:${colour}`;
  return element('td', { style, class: 'figure' }, write(value, property('unit')));
}

function text(panel) {
  const unmarked = panel.options.content.replace(/\*\*|`/g, '');
  const plain = unmarked.replace(/\[([^\]]+)\]\([^)]*\)/g, '$1');
  return [element('pre', {}, plain)];
}

const KINDS = { timeseries, heatmap, stat, table, text };

function place(panel, { x, y, w, h }) {
  const size = { w: w * COLUMN - GAP, h: h * LINE - GAP };
  const style = `left:${x * COLUMN}px;top:${y * LINE}px;width:${size.w}px;height:${size.h}px`;
  const title = element('h2', {}, panel.title);
  if (panel.type === 'row') return element('div', { class: 'row', style }, title);
  const made = KINDS[panel.type](panel, panel.answers, { w: size.w - 2, h: size.h - 28 });
  drawn.panels += 1;
  if (made === null) drawn.empty.push(panel.title);
  const none = element('p', { class: 'none' }, panel.fieldConfig.defaults.noValue ?? '');
  return element('div', { class: 'panel', style }, title, ...(made ?? [none]));
}

function draw() {
  const { title, description } = DATA.dashboard;
  document.getElementById('title').textContent = title;
  document.getElementById('about').textContent = description;
  const board = document.getElementById('board');
  for (const panel of DATA.dashboard.panels) board.append(place(panel, panel.gridPos));
  const ends = DATA.dashboard.panels.map(({ gridPos }) => gridPos.y + gridPos.h);
  board.style.height = `${Math.max(...ends) * LINE}px`;
}

try {
  draw();
} catch (error) {
  drawn.errors.push(`${error.stack}`);
}
document.body.append(element('pre', { id: 'found' }, JSON.stringify(drawn)));
