// `Date` under a virtual clock: it tells the loop's time.
//
// internal.timeOrigin() -> milliseconds, internal.now() -> nanoseconds since then.
'use strict';

const { each } = require('internal/primordials');

const RealDate = Date;
const now = () => Math.floor(internal.timeOrigin() + internal.now() / 1e6);

function VirtualDate(...args) {
  if (new.target === undefined) return new RealDate(now()).toString();
  return Reflect.construct(RealDate, args.length === 0 ? [now()] : args, new.target);
}

Object.defineProperty(VirtualDate, 'name', { value: 'Date' });
Object.defineProperty(VirtualDate, 'length', { value: 7 });
VirtualDate.prototype = RealDate.prototype;
VirtualDate.prototype.constructor = VirtualDate;
for (const name of each(['parse', 'UTC'])) VirtualDate[name] = RealDate[name];
VirtualDate.now = now;
globalThis.Date = VirtualDate;
