'use strict';

const nodes = [...document.querySelectorAll('[data-n]')];
const why = document.getElementById('why');
const sources = document.getElementById('sources');
let now;

function put(tag, text) {
  const element = document.createElement(tag);
  element.textContent = text;
  why.append(element);
}

// Shows why a node is there, and the line of the source.
function show(node) {
  if (node === now) return;
  now?.classList.remove('now');
  now = node;
  node.classList.add('now');
  why.replaceChildren();
  put('h2', node.dataset.title);
  put('p', node.dataset.why ?? '');
  if (node.dataset.stack !== undefined) put('pre', node.dataset.stack);
  for (const lit of sources.querySelectorAll('.lit')) lit.classList.remove('lit');
  const line = document.getElementById(node.dataset.line ?? '');
  if (line === null) return;
  line.classList.add('lit');
  sources.scrollTop = line.offsetTop - sources.offsetTop - sources.clientHeight / 3;
}

function isSeen(node) {
  return node.checkVisibility();
}

// Moves the focus to the next node that is seen, in this direction.
function step(direction) {
  const seen = nodes.filter(isSeen);
  const at = seen.indexOf(document.activeElement);
  const next = at < 0 ? 0 : Math.min(Math.max(at + direction, 0), seen.length - 1);
  if (seen[next] === undefined) return;
  seen[next].focus();
  // A window that has no focus itself is not told of its nodes'.
  show(seen[next]);
}

function toggleAll(open) {
  for (const details of document.querySelectorAll('main details')) details.open = open;
}

function zoom(by) {
  const root = document.documentElement;
  const size = parseFloat(getComputedStyle(root).fontSize) + by;
  root.style.setProperty('--size', `${Math.min(Math.max(size, 8), 26)}px`);
}

const keys = {
  ArrowDown: () => step(1),
  ArrowUp: () => step(-1),
  ArrowRight: () => document.activeElement.closest('details')?.setAttribute('open', ''),
  ArrowLeft: () => document.activeElement.closest('details')?.removeAttribute('open'),
  '+': () => zoom(1),
  '-': () => zoom(-1),
  e: () => toggleAll(true),
  c: () => toggleAll(false),
};

document.addEventListener('keydown', (event) => {
  const act = keys[event.key];
  if (act === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  act();
});
document.addEventListener('focusin', (event) => {
  const node = event.target.closest('[data-n]');
  if (node !== null) show(node);
});
document.addEventListener('mouseover', (event) => {
  const node = event.target.closest('[data-n]');
  if (node !== null) show(node);
});
document.addEventListener('click', (event) => {
  const act = event.target.dataset?.key;
  if (act !== undefined) keys[act]();
});
if (nodes.length > 0) show(nodes[0]);
