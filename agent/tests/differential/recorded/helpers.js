const S = globalThis.S = {};
const fmt = (v) => {
  if (v instanceof AggregateError) return `Aggregate[${v.errors.map(fmt)}]`;
  if (v instanceof TypeError) return v.name;
  if (v instanceof Error) return `${v.name}(${v.message})`;
  if (typeof v === 'function') return 'function';
  if (Array.isArray(v)) return `[${v.map(fmt)}]`;
  if (v && typeof v === 'object') return `{${Object.keys(v).map((k) => `${k}: ${fmt(v[k])}`)}}`;
  return String(v);
};
const log = globalThis.log = (...all) => console.log(all.map(fmt).join(' '));
const busy = globalThis.busy = (ms) => {
  const end = Date.now() + ms;
  while (Date.now() < end);
};
