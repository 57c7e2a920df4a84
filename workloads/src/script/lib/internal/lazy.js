// Properties whose value is made when it is first asked for: what few programs use is not loaded at
// the start.
'use strict';

function put(target, name, enumerable, value) {
  Object.defineProperty(target, name, { configurable: true, enumerable, writable: true, value });
}

// Defines a property that is `make()` from its first use on.
function lazy(target, name, enumerable, make) {
  Object.defineProperty(target, name, {
    configurable: true,
    enumerable,
    get() {
      const value = make();
      put(target, name, enumerable, value);
      return value;
    },
    set(value) {
      put(this, name, enumerable, value);
    },
  });
}

module.exports = { lazy, put };
