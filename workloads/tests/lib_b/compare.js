'use strict';
// Runs one case with our library and with Node's, and tells where the outcomes differ.

const util = require('util');

// A generator of numbers that a seed repeats: xorshift, 32 bits.
class Random {
  constructor(seed) {
    this.state = seed >>> 0 || 1;
  }

  // From 0 on, below `n`.
  below(n) {
    this.state ^= this.state << 13;
    this.state ^= this.state >>> 17;
    this.state ^= this.state << 5;
    return (this.state >>> 0) % n;
  }

  pick(list) {
    return list[this.below(list.length)];
  }

  text(alphabet, longest) {
    return Array.from({ length: this.below(longest + 1) }, () => this.pick(alphabet)).join('');
  }

  bytes(longest) {
    return Uint8Array.from({ length: this.below(longest + 1) }, () => this.below(256));
  }
}

// What is compared: errors by name, code and message, bytes by their value.
function show(value) {
  if (value instanceof Uint8Array) {
    return `${value.constructor.name}[${Array.from(value).join()}]`;
  }
  if (value instanceof Error) return `${value.name} ${value.code}: ${value.message}`;
  if (Array.isArray(value)) return `[${value.map(show).join(', ')}]`;
  return util.inspect(value, { depth: 6 });
}

async function outcome(run, library) {
  try {
    return show(await run(library));
  } catch (error) {
    return `throws ${show(error)}`;
  }
}

class Suite {
  constructor(name, ours, nodes, random) {
    Object.assign(this, { name, ours, nodes, random, cases: 0, differences: [] });
  }

  // `run` gets the library, ours or Node's, and answers with what is compared.
  async check(label, run) {
    this.cases++;
    const expected = await outcome(run, this.nodes);
    const found = await outcome(run, this.ours);
    if (found !== expected) this.differences.push({ label, expected, found });
  }

  // The same for each row of a table.
  async table(label, rows, run) {
    for (const row of rows) {
      await this.check(`${label} ${util.inspect(row)}`, (library) => run(library, row));
    }
  }
}

module.exports = { Random, Suite };
