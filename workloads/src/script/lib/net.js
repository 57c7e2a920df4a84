'use strict';
// The module `net`: servers and sockets on the loop's own. Left out: file descriptors as handles,
// block lists, `readable` events, keep-alive (accepted, without effect), `cork`.
//
// internal.tcpListen(event, address, port) -> socket, unixListen(event, path) -> socket,
// socketClose(socket, request), socketAddresses(socket), socketHold(socket, bool), lookup(request,
// host).

const EventEmitter = require('events');
const { codes } = require('internal/errors');
const {
  asOfSocket, checkedPort, isIP, isIPv4, isIPv6, normalized,
} = require('internal/net/connecting');
const { Socket } = require('internal/net/socket');
const requests = require('internal/requests');
const { nextTick } = require('internal/task_queues');
const { each } = require('internal/primordials');

// The code of an error of listening stands before its number, and all have a port.
function asOfListening(error) {
  const { errno, ...rest } = asOfSocket(error);
  const { code, syscall, address, port = -1 } = rest;
  for (const key of each(Object.keys(error))) delete error[key];
  return Object.assign(error, { code, errno, syscall, address, port });
}

class Server extends EventEmitter {
  constructor(options, onConnection) {
    super();
    if (typeof options === 'function') {
      onConnection = options;
      options = {};
    } else if (options !== undefined && options !== null && typeof options !== 'object') {
      throw new codes.ERR_INVALID_ARG_TYPE('options', 'Object', options);
    }
    options ??= {};
    if (typeof onConnection === 'function') this.on('connection', onConnection);
    this._handle = null;
    this._connections = 0;
    this._event = 0;
    this.allowHalfOpen = Boolean(options.allowHalfOpen);
    this.pauseOnConnect = Boolean(options.pauseOnConnect);
    this.noDelay = Boolean(options.noDelay);
  }

  get listening() {
    return this._handle !== null;
  }

  listen(...args) {
    const { 0: options, 1: callback } = normalized(args.length === 0 ? [0] : args);
    if (this._handle !== null) throw new codes.ERR_SERVER_ALREADY_LISTEN();
    if (callback) this.once('listening', callback);
    if (options.path !== undefined) {
      this._open((event) => internal.unixListen(event, options.path));
      return this;
    }
    const port = checkedPort(options.port ?? 0, 'options.port');
    if (!options.host) this._openAll(port);
    else if (isIP(options.host)) nextTick(() => this._openAt(options.host, port));
    else this._lookUp(options.host, port);
    return this;
  }

  _lookUp(host, port) {
    internal.lookup(requests.once((error, { 0: address }) => {
      if (error) this.emit('error', error);
      else this._openAt(address, port);
    }), host);
  }

  _openAt(address, port) {
    this._open((event) => internal.tcpListen(event, address, port));
  }

  // On every address, by IPv6 where there is that.
  _openAll(port) {
    this._open((event) => {
      try {
        return internal.tcpListen(event, '::', port);
      } catch (error) {
        if (error.code !== 'EAFNOSUPPORT' && error.code !== 'EADDRNOTAVAIL') throw error;
        return internal.tcpListen(event, '0.0.0.0', port);
      }
    });
  }

  _open(listen) {
    const event = requests.always((error, handle) => this._onConnection(error, handle));
    try {
      this._handle = listen(event);
    } catch (error) {
      requests.forget(event);
      if (error.code === 'ERR_LOOPSCOPE_VIRTUAL_CLOCK') throw error;
      nextTick(() => this.emit('error', asOfListening(error)));
      return;
    }
    this._event = event;
    if (this._unref) this.unref();
    nextTick(() => {
      if (this._handle !== null) this.emit('listening');
    });
  }

  _onConnection(error, handle) {
    if (error) {
      this.emit('error', error);
      return;
    }
    if (this.maxConnections && this._connections >= this.maxConnections) {
      this.emit('drop');
      internal.socketClose(handle, requests.once(() => {}));
      return;
    }
    const { allowHalfOpen, pauseOnConnect } = this;
    const socket = new Socket({ handle, allowHalfOpen, pauseOnCreate: pauseOnConnect });
    if (pauseOnConnect) socket.readableFlowing = false;
    if (this.noDelay) socket.setNoDelay(true);
    this._connections++;
    socket.server = this;
    this.emit('connection', socket);
  }

  // A socket of this server has gone.
  _left() {
    this._connections--;
    this._closeMaybe();
  }

  _closeMaybe() {
    if (this._handle !== null || this._connections > 0) return;
    nextTick(() => this.emit('close'));
  }

  close(callback) {
    if (typeof callback === 'function') {
      const isOpen = this._handle !== null;
      this.once('close', () => {
        if (isOpen) callback();
        else callback(new codes.ERR_SERVER_NOT_RUNNING());
      });
    }
    if (this._handle !== null) {
      requests.forget(this._event);
      internal.socketClose(this._handle, requests.once(() => {}));
      this._handle = null;
    }
    this._closeMaybe();
    return this;
  }

  getConnections(callback) {
    nextTick(callback, null, this._connections);
    return this;
  }

  address() {
    const { 0: local } = this._handle === null ? [null] : internal.socketAddresses(this._handle);
    if (!Array.isArray(local)) return local;
    const { 0: address, 1: port, 2: family } = local;
    return { address, family, port };
  }

  ref() {
    this._unref = false;
    if (this._handle !== null) internal.socketHold(this._handle, true);
    return this;
  }

  unref() {
    this._unref = true;
    if (this._handle !== null) internal.socketHold(this._handle, false);
    return this;
  }
}
if (Symbol.asyncDispose) {
  Server.prototype[Symbol.asyncDispose] = function dispose() {
    return new Promise((resolve) => this.close(resolve));
  };
}

function createServer(options, onConnection) {
  return new Server(options, onConnection);
}

function connect(...args) {
  const { 0: options } = normalized(args);
  const socket = new Socket(options);
  if (options.timeout) socket.setTimeout(options.timeout);
  return Reflect.apply(socket.connect, socket, args);
}

module.exports = {
  Server, Socket, Stream: Socket, connect, createConnection: connect, createServer, isIP,
  isIPv4: (text) => isIPv4(text), isIPv6: (text) => isIPv6(text),
};
