// Holds its loop in two functions and a method, as TypeScript. Truth: their names and lines here.
// Compiled once: `dist/prices.js` by TypeScript 5.9, `tsc --target es2019 --module commonjs
// --sourceMap --outDir dist src/prices.ts`; `dist/bundle.js` by esbuild 0.28, `esbuild --minify
// --format=cjs --line-limit=60 --sourcemap --outfile=dist/bundle.js src/prices.ts`.
// `dist/unmapped.js` is `dist/prices.js` with a map that isn't there.
var Currency;
(function (Currency) {
    Currency["Euro"] = "EUR";
    Currency["Franc"] = "CHF";
})(Currency || (Currency = {}));
const { target } = require('../../target.js');
const MS = 150;
function computePrices(from) {
    const end = Date.now() + MS;
    let sum = 0;
    while (Date.now() < end) {
        for (const { cents } of from)
            sum += Math.sqrt(cents);
    }
    return sum;
}
class Till {
    constructor(prices, currency) {
        this.prices = prices;
        this.currency = currency;
    }
    countMoney() {
        var _a;
        const end = Date.now() + MS;
        let sum = 0;
        while (Date.now() < end) {
            for (const price of this.prices)
                sum += Math.sqrt(price.cents);
        }
        return `${sum} ${(_a = this.currency) !== null && _a !== void 0 ? _a : Currency.Euro}`;
    }
}
const roundTotals = async (from) => {
    await null;
    const end = Date.now() + MS;
    let sum = 0;
    while (Date.now() < end)
        for (const { cents } of from)
            sum += Math.round(cents);
    return sum;
};
const prices = Array.from({ length: 1000 }, (_, cents) => ({ name: 'a', cents }));
const till = new Till(prices, Currency.Franc);
target({
    go(done) {
        const steps = [computePrices, () => till.countMoney(), roundTotals];
        steps.forEach((step, index) => setTimeout(step, 100 + 300 * index, prices));
        setTimeout(done, 100 + 300 * steps.length);
    },
    truth: () => ({ computePrices: [20, 27], countMoney: [32, 39], roundTotals: [42, 48] }),
});
//# sourceMappingURL=missing.js.map