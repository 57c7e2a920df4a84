// Which kind of object a value is, told by its internal slot and not by its name.
//
// A probe calls a method that only the true kind answers to. Throwing is dear in the engine, so a
// probe runs only for values that inherit from the kind, or from nothing (a null prototype).
// Cost: a walk up the prototypes for each question.
// From `internal`: `proxyTarget(value)` -> the target, null when revoked, undefined if no proxy;
// `promiseState(value)` -> [0 pending | 1 fulfilled | 2 rejected, result], undefined if no promise.
'use strict';

const { each, uncurried } = require('internal/primordials');

const inherits = (() => {
  const isPrototypeOf = uncurried(Object.prototype.isPrototypeOf);
  return (value, proto) => isPrototypeOf(proto, value);
})();
const tagOf = uncurried(Object.prototype.toString);

function isObject(value) {
  return value !== null && (typeof value === 'object' || typeof value === 'function');
}

function getterOf(proto, key) {
  return uncurried(Object.getOwnPropertyDescriptor(proto, key).get);
}

function kind(proto, probe) {
  return (value) => {
    if (!isObject(value)) return false;
    if (!inherits(value, proto) && inherits(value, Object.prototype)) return false;
    try {
      probe(value);
      return true;
    } catch {
      return false;
    }
  };
}

function heirOf(proto) {
  return (value) => isObject(value) && inherits(value, proto);
}

const protoOf = Object.getPrototypeOf;
const typedArrayProto = protoOf(Uint8Array.prototype);
const typedArrayName = getterOf(typedArrayProto, Symbol.toStringTag);
const typedArrayLength = getterOf(typedArrayProto, 'length');
const mapSize = getterOf(Map.prototype, 'size');
const setSize = getterOf(Set.prototype, 'size');
const asyncFunctionProto = protoOf(async () => {});
const generatorFunctionProto = protoOf(function* () {});
const asyncGeneratorFunctionProto = protoOf(async function* () {});
const weakMapHas = uncurried(WeakMap.prototype.has);
const weakSetHas = uncurried(WeakSet.prototype.has);
const someKey = {};

const isAsyncFunctionOnly = heirOf(asyncFunctionProto);
const isGeneratorFunctionOnly = heirOf(generatorFunctionProto);
const isAsyncGeneratorFunction = heirOf(asyncGeneratorFunctionProto);
const isSyncGenerator = heirOf(generatorFunctionProto.prototype);
const isAsyncGenerator = heirOf(asyncGeneratorFunctionProto.prototype);

const types = exports;
const unbox = { __proto__: null };

types.isMap = kind(Map.prototype, mapSize);
types.isSet = kind(Set.prototype, setSize);
types.isWeakMap = kind(WeakMap.prototype, (value) => weakMapHas(value, someKey));
types.isWeakSet = kind(WeakSet.prototype, (value) => weakSetHas(value, someKey));
types.isDate = kind(Date.prototype, uncurried(Date.prototype.getTime));
const regexpSource = kind(RegExp.prototype, getterOf(RegExp.prototype, 'source'));
types.isRegExp = (value) => value !== RegExp.prototype && regexpSource(value);
types.isArrayBuffer = kind(ArrayBuffer.prototype, getterOf(ArrayBuffer.prototype, 'byteLength'));
types.isSharedArrayBuffer = typeof SharedArrayBuffer === 'undefined' ?
  () => false :
  kind(SharedArrayBuffer.prototype, getterOf(SharedArrayBuffer.prototype, 'byteLength'));
types.isAnyArrayBuffer = (value) =>
  types.isArrayBuffer(value) || types.isSharedArrayBuffer(value);
types.isArrayBufferView = ArrayBuffer.isView;
types.isTypedArray = (value) => isObject(value) && typedArrayName(value) !== undefined;
types.isDataView = (value) => ArrayBuffer.isView(value) && typedArrayName(value) === undefined;

for (const name of each([
  'Int8Array', 'Uint8Array', 'Uint8ClampedArray', 'Int16Array', 'Uint16Array', 'Int32Array',
  'Uint32Array', 'Float32Array', 'Float64Array', 'BigInt64Array', 'BigUint64Array',
])) {
  types[`is${name}`] = (value) => isObject(value) && typedArrayName(value) === name;
}

types.isNumberObject = boxed(Number);
types.isStringObject = boxed(String);
types.isBooleanObject = boxed(Boolean);
types.isBigIntObject = boxed(BigInt);
types.isSymbolObject = boxed(Symbol);
types.isBoxedPrimitive = (value) => typeof value === 'object' && value !== null && (
  types.isNumberObject(value) || types.isStringObject(value) || types.isBooleanObject(value) ||
  types.isBigIntObject(value) || types.isSymbolObject(value));

types.isAsyncFunction = (value) => isAsyncFunctionOnly(value) || isAsyncGeneratorFunction(value);
types.isGeneratorFunction = (value) =>
  isGeneratorFunctionOnly(value) || isAsyncGeneratorFunction(value);
types.isGeneratorObject = (value) => isSyncGenerator(value) || isAsyncGenerator(value);
types.isMapIterator = heirOf(protoOf(new Map().entries()));
types.isSetIterator = heirOf(protoOf(new Set().values()));
types.isArgumentsObject = (value) =>
  isObject(value) && !(Symbol.toStringTag in value) && tagOf(value) === '[object Arguments]';
types.isNativeError = (value) => {
  if (typeof value !== 'object' || value === null) return false;
  return Symbol.toStringTag in value ?
    value instanceof Error : tagOf(value) === '[object Error]';
};
types.isModuleNamespaceObject = (value) => isObject(value) && protoOf(value) === null &&
  value[Symbol.toStringTag] === 'Module' && !Object.isExtensible(value);
types.isPromise = (value) => isObject(value) && internal.promiseState(value) !== undefined;
types.isProxy = (value) => isObject(value) && internal.proxyTarget(value) !== undefined;
types.isExternal = () => false;

Object.defineProperties(types, {
  isError: { value: (value) => types.isNativeError(value) || value instanceof Error },
  isObject: { value: isObject },
  mapSize: { value: mapSize },
  setSize: { value: setSize },
  typedArrayName: { value: typedArrayName },
  typedArrayLength: { value: typedArrayLength },
  unboxed: { value: (value, type) => unbox[type](value) },
  viewField: { value: viewField },
});

// A field of a typed array, whatever its prototype is now.
function viewField(view, key) {
  if (key === 'BYTES_PER_ELEMENT') return globalThis[typedArrayName(view)][key];
  return Reflect.get(typedArrayProto, key, view);
}

function boxed(Wrapper) {
  const valueOf = uncurried(Wrapper.prototype.valueOf);
  unbox[Wrapper.name] = valueOf;
  const probe = kind(Wrapper.prototype, valueOf);
  return (value) => typeof value === 'object' && probe(value);
}
