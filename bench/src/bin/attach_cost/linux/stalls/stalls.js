'use strict';

// What stalls the observed server; `server.js` calls it for each request.
//
//   spin MS   renders the same page again and again, some 25 frames deep
//   wait MS   waits for a lock, and computes nothing

const DEPTH = 7;
const WIDTH = 3;
const WARM_UP = 200;

class View {
  constructor(depth) {
    this.name = `view ${depth}`;
    this.views = Array.from({ length: depth === 0 ? 0 : WIDTH }, () => new View(depth - 1));
  }

  render(indent) {
    const inner = this.views.map((view) => this.part(view, indent + 1));
    return `${' '.repeat(indent)}<p>${this.name}</p>${inner.join('\n')}`.length;
  }

  part(view, indent) {
    return view.render(indent);
  }
}

function times(count, page) {
  let length = 0;
  for (let time = 0; time < count; time += 1) length += page.render(0);
  return length;
}

/** Work of so many milliseconds, which is the same from now on. */
function spin(ms) {
  const page = new View(DEPTH);
  times(WARM_UP, page);
  const start = process.hrtime.bigint();
  times(WARM_UP, page);
  const each = Number(process.hrtime.bigint() - start) / WARM_UP;
  const count = Math.max(1, Math.round(ms * 1e6 / each));
  return () => times(count, page);
}

function wait(ms) {
  const lock = new Int32Array(new SharedArrayBuffer(4));
  return () => Atomics.wait(lock, 0, 0, ms);
}

module.exports = { spin, wait };
