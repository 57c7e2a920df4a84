// Holds its loop in two functions and a method, as TypeScript. Truth: their names and lines here.
// Compiled once: `dist/prices.js` by TypeScript 5.9, `tsc --target es2019 --module commonjs
// --sourceMap --outDir dist src/prices.ts`; `dist/bundle.js` by esbuild 0.28, `esbuild --minify
// --format=cjs --line-limit=60 --sourcemap --outfile=dist/bundle.js src/prices.ts`.
// `dist/unmapped.js` is `dist/prices.js` with a map that isn't there.

declare const require: (name: string) => any;

interface Price {
  name: string;
  cents: number;
}

enum Currency { Euro = 'EUR', Franc = 'CHF' }

const { target } = require('../../target.js');

const MS: number = 150;

function computePrices(from: Price[]): number {
  const end: number = Date.now() + MS;
  let sum = 0;
  while (Date.now() < end) {
    for (const { cents } of from) sum += Math.sqrt(cents);
  }
  return sum;
}

class Till<T extends Price> {
  constructor(private readonly prices: T[], private readonly currency?: Currency) {}

  countMoney(): string {
    const end: number = Date.now() + MS;
    let sum = 0;
    while (Date.now() < end) {
      for (const price of this.prices) sum += Math.sqrt(price.cents);
    }
    return `${sum} ${this.currency ?? Currency.Euro}`;
  }
}

const roundTotals = async (from: Price[]): Promise<number> => {
  await null;
  const end: number = Date.now() + MS;
  let sum = 0;
  while (Date.now() < end) for (const { cents } of from) sum += Math.round(cents);
  return sum;
};

const prices: Price[] = Array.from({ length: 1000 }, (_, cents) => ({ name: 'a', cents }));
const till = new Till(prices, Currency.Franc);

target({
  go(done: () => void): void {
    const steps = [computePrices, () => till.countMoney(), roundTotals];
    steps.forEach((step, index) => setTimeout(step, 100 + 300 * index, prices));
    setTimeout(done, 100 + 300 * steps.length);
  },
  truth: () => ({ computePrices: [20, 27], countMoney: [32, 39], roundTotals: [42, 48] }),
});
