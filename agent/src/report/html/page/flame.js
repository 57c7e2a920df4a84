// Who called whom in the stalls' samples: callers above, as wide as their time.

const FRAME_HEIGHT = 20;
const NARROW = .8;
const graph = { tree: null, zoom: 0, search: '', now: 0, isOne: false };

// The tree with what drawing needs: where each function begins, who called it, where its part ends.
function grow(flame) {
  const nodes = flame.nodes.map(([depth, frame, total, self]) =>
    ({ depth, total, self, frame: report.frames[frame], from: 0, used: 0, caller: -1, end: 0 }));
  const open = [];
  nodes.forEach((node, at) => {
    while (open.length > node.depth) nodes[open.pop()].end = at;
    const caller = nodes[open.at(-1)];
    if (caller) {
      node.caller = open.at(-1);
      node.from = caller.from + caller.used;
      caller.used += node.total;
    }
    open.push(at);
  });
  for (const at of open) nodes[at].end = nodes.length;
  return { ...flame, nodes };
}

function kind(node) {
  const [name, file] = node.frame;
  const heads = report.flame_has_loops && !graph.isOne ? 2 : 1;
  if (node.depth < heads) return 'root';
  if (name === '(waiting)' && file === null) return 'waiting';
  if (file === null) return 'native';
  return file.startsWith('node:') ? 'internal' : 'own';
}

const at = ([, file, line]) => file === null ? '' : line === null ? file : `${file}:${line}`;
const isHit = (node) => graph.search !== '' && node.depth > 0
  && `${node.frame[0]} ${node.frame[1] ?? ''}`.toLowerCase().includes(graph.search);

// All that is known of a function on the graph, line by line.
function detail(node) {
  const whole = graph.tree.nodes[0].total;
  const left = node.total - node.self - node.used;
  const texts = [node.frame[0], at(node.frame),
    `${percent(node.total / whole)}, ${time(node.total)} of ${time(whole)}`,
    node.self > 0 ? `itself ${percent(node.self / whole)}, ${time(node.self)}` : '',
    left > 0 ? `${time(left)} in functions that are left out` : ''];
  return texts.filter((text) => text !== '');
}

function box(number) {
  const { nodes, zoom } = { nodes: graph.tree.nodes, zoom: graph.tree.nodes[graph.zoom] };
  const node = nodes[number];
  const isAbove = number < graph.zoom;
  const left = isAbove ? 0 : 100 * (node.from - zoom.from) / zoom.total;
  const width = isAbove ? 100 : 100 * node.total / zoom.total;
  const hit = graph.search === '' ? '' : isHit(node) ? ' hit' : ' miss';
  const element = make('div', {
    class: `frame ${kind(node)}${isAbove ? ' above' : ''}${hit}`, role: 'treeitem', tabindex: -1,
    'aria-level': node.depth + 1, 'aria-selected': number === graph.now, 'data-node': number,
    'aria-label': detail(node).join(', '),
  }, node.frame[0]);
  element.style.cssText = `left:${left}%;width:${width}%;top:${node.depth * FRAME_HEIGHT}px`;
  return element;
}

// The callers of the function that fills the graph, and all of its part that is wide enough.
function shown() {
  const { nodes } = graph.tree;
  const zoom = nodes[graph.zoom];
  const numbers = [];
  for (let up = zoom.caller; up >= 0; up = nodes[up].caller) numbers.unshift(up);
  const least = zoom.total * NARROW / Math.max($('flame').clientWidth, 300);
  let narrow = 0;
  for (let next = graph.zoom; next < zoom.end;) {
    const isWide = nodes[next].total >= least;
    if (isWide) numbers.push(next);
    else narrow += nodes[next].end - next;
    next = isWide ? next + 1 : nodes[next].end;
  }
  return { numbers, narrow };
}

function drawFlame() {
  const { tree } = graph;
  $('flame-reset').hidden = graph.zoom === 0;
  if (tree === null) return;
  const hadFocus = document.activeElement?.closest('#flame') !== null;
  const { numbers, narrow } = shown();
  const depth = Math.max(...numbers.map((number) => tree.nodes[number].depth)) + 1;
  $('flame').style.height = `${depth * FRAME_HEIGHT}px`;
  $('flame').replaceChildren(...numbers.map(box));
  if (!numbers.includes(graph.now)) graph.now = graph.zoom;
  const now = $('flame').querySelector(`[data-node="${graph.now}"]`);
  now.tabIndex = 0;
  if (hadFocus) now.focus({ preventScroll: true });
  const left = tree.left_out > 0 ? [`${count(tree.left_out)} functions of at most `
    + `${time(tree.left_out_ns_max)} each are left out`] : [];
  const thin = narrow > 0 ? [`${count(narrow)} are too narrow to be drawn: zoom in`] : [];
  $('flame-line').textContent = [...left, ...thin].join('; ');
  search();
}

// How much of the time the functions searched for were on the stack: each moment counts once.
function search() {
  if (graph.search === '' || graph.tree === null) {
    $('flame-found').textContent = '';
    return;
  }
  const { nodes } = graph.tree;
  const hits = new Set(nodes.filter(isHit).map((node) => node.frame.join('\n')));
  let sum = 0;
  for (let next = 0; next < nodes.length;) {
    const hit = isHit(nodes[next]);
    if (hit) sum += nodes[next].total;
    next = hit ? nodes[next].end : next + 1;
  }
  $('flame-found').textContent = hits.size === 0 ? 'nothing matches'
    : `${count(hits.size)} ${hits.size === 1 ? 'function matches' : 'functions match'}: `
      + `${percent(sum / nodes[0].total)}, ${time(sum)}`;
}

function zoomFlame(number) {
  graph.zoom = number;
  graph.now = number;
  drawFlame();
}

function focusFrame(number) {
  const next = $('flame').querySelector(`[data-node="${number}"]`);
  if (next === null) return;
  for (const [node, is] of [[$('flame').querySelector('[tabindex="0"]'), false], [next, true]]) {
    node.tabIndex = is ? 0 : -1;
    node.setAttribute('aria-selected', is);
  }
  graph.now = number;
  next.focus();
}

// To the caller, the longest function called, or the one beside.
function stepFlame(key) {
  const { nodes } = graph.tree;
  const { caller, depth } = nodes[graph.now];
  const numbers = [...$('flame').children].map((node) => Number(node.dataset.node));
  const beside = numbers.filter((number) => nodes[number].depth === depth);
  const place = beside.indexOf(graph.now);
  const called = numbers.find((number) => nodes[number].caller === graph.now);
  focusFrame({ ArrowUp: caller, ArrowDown: called, ArrowLeft: beside[place - 1],
    ArrowRight: beside[place + 1] }[key]);
}

const stalledListed = () => stalls.reduce((sum, stall) => sum + stall.duration_ns, 0);

// Which samples are drawn: of all stalls, or of the one that is chosen.
function scope(isOne) {
  const flame = isOne ? chosen.stall?.flame ?? null : report.flame;
  graph.isOne = isOne;
  graph.tree = flame === null ? null : grow(flame);
  [graph.zoom, graph.now] = [0, 0];
  $('flame-all').setAttribute('aria-pressed', !isOne);
  $('flame-one').setAttribute('aria-pressed', isOne);
  $('flame-told').textContent = flame === null ? ''
    : `${count(flame.samples)} samples that stand for ${time(flame.nodes[0][2])} of `
      + `${time(isOne ? chosen.stall.duration_ns : stalledListed())} in ${isOne ? 'it' : 'stalls'}`;
  $('flame').classList.toggle('empty', flame === null);
  if (flame === null) {
    const taken = isOne ? chosen.stall?.samples ?? 0 : 0;
    $('flame').style.height = '';
    $('flame-line').textContent = '';
    $('flame').replaceChildren(taken > 0
      ? `Its ${count(taken)} samples are in the graph of all stalls alone: those of longer stalls `
        + 'fill the page.'
      : isOne ? 'No sample was taken of this stall.' : 'No sample was taken of any stall.');
  }
  drawFlame();
  search();
}

// What the colours say.
function kinds() {
  const named = { own: 'program', internal: 'Node.js', native: 'native', waiting: 'waiting' };
  return Object.entries(named).map(([kind, text]) =>
    make('span', {}, make('span', { class: `key ${kind}` }), text));
}

function chosenForFlame() {
  if (graph.isOne) scope(true);
}

function showTip(event) {
  const frame = event.target.closest?.('.frame');
  $('tip').hidden = !frame || graph.tree === null;
  if ($('tip').hidden) return;
  const [name, ...rest] = detail(graph.tree.nodes[Number(frame.dataset.node)]);
  $('tip').replaceChildren(make('b', {}, name), ...rest.map((text) => make('div', {}, text)));
  const edge = frame.getBoundingClientRect();
  const x = event.type === 'focusin' ? edge.left : event.clientX;
  const size = $('tip').getBoundingClientRect();
  const left = Math.max(Math.min(x + 12, innerWidth - size.width - 8), 8);
  const below = edge.bottom + 6;
  const top = below + size.height < innerHeight ? below : edge.top - size.height - 6;
  $('tip').style.cssText = `left:${left}px;top:${top}px`;
}

function keysOfFlame(event) {
  if (graph.tree === null || !isPlain(event)) return;
  const up = graph.tree.nodes[graph.zoom].caller;
  const zoom = () => zoomFlame(graph.now);
  const step = () => stepFlame(event.key);
  const act = {
    ArrowUp: step, ArrowDown: step, ArrowLeft: step, ArrowRight: step, Enter: zoom, ' ': zoom,
    Backspace: () => zoomFlame(Math.max(up, 0)), Escape: () => zoomFlame(0), 0: () => zoomFlame(0),
  }[event.key];
  if (!act) return;
  event.preventDefault();
  act();
}

function startFlame() {
  $('flame-section').hidden = stalls.length === 0;
  $('flame-tools').hidden = report.flame === null;
  $('flame-keys').hidden = report.flame === null;
  $('flame-kinds').hidden = report.flame === null;
  $('flame-kinds').replaceChildren(...kinds());
  $('flame-all').addEventListener('click', () => scope(false));
  $('flame-one').addEventListener('click', () => scope(true));
  $('flame-reset').addEventListener('click', () => zoomFlame(0));
  $('flame').addEventListener('keydown', keysOfFlame);
  $('flame').addEventListener('click', (event) => {
    const number = event.target.closest('.frame')?.dataset.node;
    if (number !== undefined) zoomFlame(Number(number));
  });
  for (const type of ['mousemove', 'mouseleave', 'focusin', 'focusout']) {
    $('flame').addEventListener(type, (event) => {
      if (type === 'mouseleave' || type === 'focusout') $('tip').hidden = true;
      else showTip(event);
    });
  }
  $('flame-search').addEventListener('input', (event) => {
    graph.search = event.target.value.trim().toLowerCase();
    drawFlame();
  });
  scope(false);
}
