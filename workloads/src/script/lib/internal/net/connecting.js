'use strict';
// How a socket is connected: to an address in a tick, to a name when the pool has looked it up, to
// a path at once. Of several addresses each is tried until one answers.
//
// internal.tcpConnect(request, address, port) -> socket, unixConnect(request, path) -> socket,
// lookup(request, host).

const { checkFunction } = require('internal/checks');
const { codes } = require('internal/errors');
const { once } = require('internal/requests');
const { nextTick } = require('internal/task_queues');
const {
  at, every, flatMap, forEach, includes, push, replace, slice, split, test, trim,
} = require('internal/primordials');

const PORT_MAX = 65535;

const BYTE = '(25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)';
const FOUR_BYTES = new RegExp(`^${BYTE}(\\.${BYTE}){3}$`);
const isIPv4 = (text) => test(FOUR_BYTES, text);
const isIPv6 = (text) => {
  const groups = replace(`${text}`, /%.*$/, '');
  if (!test(/^[0-9a-f:.]+$/i, groups) || !includes(groups, ':')) return false;
  const parts = split(groups, '::');
  if (parts.length > 2) return false;
  const all = flatMap(parts, (part) => (part === '' ? [] : split(part, ':')));
  const hasFour = isIPv4(at(all, -1));
  const right = every(all, (group, index) => {
    return test(/^[0-9a-f]{1,4}$/i, group) || (hasFour && index === all.length - 1);
  });
  const count = all.length + (hasFour ? 1 : 0);
  return right && (parts.length === 2 ? count < 8 : count === 8);
};
const isIP = (text) => (isIPv4(text) ? 4 : isIPv6(text) ? 6 : 0);

function checkedPort(port, name = 'Port') {
  const isGiven = typeof port === 'number' || (typeof port === 'string' && trim(port) !== '');
  if (!isGiven || +port !== +port >>> 0 || port > PORT_MAX) {
    throw new codes.ERR_SOCKET_BAD_PORT(name, port);
  }
  return port | 0;
}

// Arguments as options and a callback.
function normalized(args) {
  const callback = typeof at(args, -1) === 'function' ? at(args, -1) : undefined;
  const { 0: first, 1: second } = args;
  if (typeof first === 'object' && first !== null) return [{ ...first }, callback];
  if (typeof first === 'string' && !(Number(first) >= 0)) return [{ path: first }, callback];
  const options = { port: first };
  if (typeof second === 'string') options.host = second;
  return [options, callback];
}

function begin(socket, args) {
  const { 0: options, 1: callback } = normalized(args);
  if (callback !== undefined) {
    checkFunction(callback, 'callback');
    socket.once('connect', callback);
  }
  if (options.path === undefined && options.port === undefined) {
    throw new codes.ERR_MISSING_ARGS(['options', 'port', 'path']);
  }
  if (options.path !== undefined) {
    socket.connecting = true;
    attempt(socket, (request) => internal.unixConnect(request, options.path));
    return socket;
  }
  const host = options.host ?? 'localhost';
  const port = checkedPort(options.port);
  socket.connecting = true;
  if (isIP(host)) nextTick(() => toAddress(socket, host, port, []));
  else lookUp(socket, host, port);
  return socket;
}

function lookUp(socket, host, port) {
  internal.lookup(once((error, addresses) => {
    if (!socket.connecting) return;
    if (error) {
      socket.emit('lookup', error, undefined, undefined, host);
      socket.destroy(error);
      return;
    }
    forEach(addresses, (address) => socket.emit('lookup', null, address, isIP(address), host));
    tryNext(socket, addresses, port, []);
  }), host);
}

function tryNext(socket, addresses, port, failures) {
  toAddress(socket, addresses[0], port, failures, slice(addresses, 1));
}

function toAddress(socket, address, port, failures, rest = []) {
  if (!socket.connecting) return;
  attempt(socket, (request) => internal.tcpConnect(request, address, port), (error) => {
    push(failures, error);
    if (rest.length > 0) {
      const failed = socket._handle;
      socket._handle = null;
      internal.socketClose(failed, once(() => {}));
      tryNext(socket, rest, port, failures);
    } else socket.destroy(failures.length === 1 ? error : together(failures));
  });
}

function together(failures) {
  const error = new AggregateError(failures, '');
  return Object.assign(error, { code: failures[0].code });
}

function attempt(socket, connect, fail = (error) => socket.destroy(error)) {
  try {
    socket._handle = connect(once((error) => connected(socket, error, fail)));
  } catch (error) {
    if (error.code === 'ERR_LOOPSCOPE_VIRTUAL_CLOCK') throw error;
    fail(asOfSocket(error));
  }
}

// Of a socket, a path is an address.
function asOfSocket(error) {
  const { path } = error;
  if (path !== undefined) {
    delete error.path;
    error.address = path;
  }
  return error;
}

function connected(socket, error, fail) {
  if (socket.destroyed) return;
  if (error) {
    fail(asOfSocket(error));
    return;
  }
  socket.connecting = false;
  socket.emit('connect');
  socket.emit('ready');
  if (!socket.isPaused()) socket._read();
}

module.exports = { asOfSocket, begin, checkedPort, isIP, isIPv4, isIPv6, normalized };
