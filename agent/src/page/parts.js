'use strict';

// What the pages share: making elements, and telling times, counts and ledgers.

const KEYS = ['frozen', 'throttled', 'run_queue', 'sync_io', 'lock_wait', 'gc', 'microtasks',
  'ticks', 'native', 'javascript', 'unknown'];
const $ = (id) => document.getElementById(id);

// No text of a process becomes markup: all of it goes in here.
function make(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === 'class') node.className = value;
    else node.setAttribute(name, value);
  }
  node.append(...children.map((child) => child instanceof Node ? child : String(child)));
  return node;
}

function time(ns) {
  if (ns === null || ns === undefined) return '–';
  const units = [[1e9, ' s'], [1e6, ' ms'], [1e3, ' µs']];
  const [size, unit] = units.find(([least]) => ns >= least) ?? [];
  if (size === undefined) return `${ns} ns`;
  const value = ns / size;
  return value.toFixed(value < 10 ? 2 : value < 100 ? 1 : 0) + unit;
}

const count = (number) => number === null || number === undefined
  ? '–' : number.toLocaleString('en').replaceAll(',', '\u202f');
const place = ({ function: name, file, line }) => `${name} (${file}:${line})`;

// What a stall's time went into, as a bar.
function ledger(of, large) {
  const bar = make('span', { class: large ? 'ledger large' : 'ledger', role: 'img' });
  const parts = KEYS.filter((key) => of.ledger_ns[key] > 0);
  const text = parts.map((key) => `${key} ${time(of.ledger_ns[key])}`);
  bar.setAttribute('aria-label', text.join(', '));
  for (const key of parts) {
    const part = make('i', { title: `${key} ${time(of.ledger_ns[key])}` });
    part.style.cssText = `width:${100 * of.ledger_ns[key] / of.duration_ns}%;`
      + `background:var(--${key})`;
    bar.append(part);
  }
  return bar;
}

// The square of a key in a legend.
function mark(key) {
  const square = make('span', { class: 'key' });
  square.style.background = `var(--${key})`;
  return square;
}
