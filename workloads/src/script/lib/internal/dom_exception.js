'use strict';
// `DOMException` with the web's names and their codes.
//
// Natives: none.

const { codes } = require('internal/errors');
const { each, forEach, includes } = require('internal/primordials');

// The codes count from 1 in this order; those that the web gave up have a constant, and code 0.
const NAMES = [
  ['IndexSizeError', 'INDEX_SIZE_ERR'],
  ['DOMStringSizeError', 'DOMSTRING_SIZE_ERR'],
  ['HierarchyRequestError', 'HIERARCHY_REQUEST_ERR'],
  ['WrongDocumentError', 'WRONG_DOCUMENT_ERR'],
  ['InvalidCharacterError', 'INVALID_CHARACTER_ERR'],
  ['NoDataAllowedError', 'NO_DATA_ALLOWED_ERR'],
  ['NoModificationAllowedError', 'NO_MODIFICATION_ALLOWED_ERR'],
  ['NotFoundError', 'NOT_FOUND_ERR'],
  ['NotSupportedError', 'NOT_SUPPORTED_ERR'],
  ['InUseAttributeError', 'INUSE_ATTRIBUTE_ERR'],
  ['InvalidStateError', 'INVALID_STATE_ERR'],
  ['SyntaxError', 'SYNTAX_ERR'],
  ['InvalidModificationError', 'INVALID_MODIFICATION_ERR'],
  ['NamespaceError', 'NAMESPACE_ERR'],
  ['InvalidAccessError', 'INVALID_ACCESS_ERR'],
  ['ValidationError', 'VALIDATION_ERR'],
  ['TypeMismatchError', 'TYPE_MISMATCH_ERR'],
  ['SecurityError', 'SECURITY_ERR'],
  ['NetworkError', 'NETWORK_ERR'],
  ['AbortError', 'ABORT_ERR'],
  ['URLMismatchError', 'URL_MISMATCH_ERR'],
  ['QuotaExceededError', 'QUOTA_EXCEEDED_ERR'],
  ['TimeoutError', 'TIMEOUT_ERR'],
  ['InvalidNodeTypeError', 'INVALID_NODE_TYPE_ERR'],
  ['DataCloneError', 'DATA_CLONE_ERR'],
];
const GIVEN_UP = ['DOMStringSizeError', 'NoDataAllowedError', 'ValidationError'];

const codeOf = new Map();
const held = new WeakMap();

function holdOf(exception) {
  const found = held.get(exception);
  if (found === undefined) throw new codes.ERR_INVALID_THIS('DOMException');
  return found;
}

class DOMException {
  constructor(message = '', options = 'Error') {
    // The header of the stack is read from these, where the engine writes one.
    const named = options && typeof options === 'object';
    held.set(this, { message: `${message}`, name: `${named ? options.name : options}` });
    Error.captureStackTrace(this);
    if (named && 'cause' in options) {
      const cause = { value: options.cause, configurable: true, writable: true };
      Object.defineProperty(this, 'cause', cause);
    }
  }

  get name() {
    return holdOf(this).name;
  }

  get message() {
    return holdOf(this).message;
  }

  get code() {
    return codeOf.get(holdOf(this).name) ?? 0;
  }
}

Object.setPrototypeOf(DOMException.prototype, Error.prototype);
for (const name of each(['name', 'message', 'code'])) {
  Object.defineProperty(DOMException.prototype, name, { enumerable: true });
}
const tag = { value: 'DOMException', configurable: true };
Object.defineProperty(DOMException.prototype, Symbol.toStringTag, tag);

forEach(NAMES, ({ 0: name, 1: constant }, index) => {
  const code = { enumerable: true, value: index + 1 };
  Object.defineProperty(DOMException, constant, code);
  Object.defineProperty(DOMException.prototype, constant, code);
  if (!includes(GIVEN_UP, name)) codeOf.set(name, index + 1);
});

module.exports = { DOMException };
