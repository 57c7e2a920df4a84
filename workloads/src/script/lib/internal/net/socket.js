'use strict';
// Sockets: an emitter with as much of a duplex stream as bears on the order of events. Data is told
// in the poll's callback, the end in a tick behind it, the close in the close phase.
//
// internal.socketRead(socket, event), socketPause(socket), socketClose(socket, request),
// socketAddresses(socket) -> [local, peer], socketHold(socket, bool), socketNoDelay(socket, bool),
// tcpConnect(request, address, port) -> socket, unixConnect(request, path) -> socket,
// lookup(request, host).

const { Buffer } = require('buffer');
const EventEmitter = require('events');
const { checkFunction } = require('internal/checks');
const { codes } = require('internal/errors');
const { HIGH_WATER_MARK, Writing } = require('internal/net/writing');
const requests = require('internal/requests');
const { nextTick } = require('internal/task_queues');
const { each, push, shift } = require('internal/primordials');

function noop() {}

class Socket extends EventEmitter {
  constructor(options = {}) {
    super();
    this.connecting = false;
    this.allowHalfOpen = Boolean(options.allowHalfOpen);
    this.destroyed = false;
    this.readable = true;
    this.bytesRead = 0;
    this.bytesWritten = 0;
    this.timeout = 0;
    this.readableEnded = false;
    this.readableFlowing = null;
    this._handle = options.handle ?? null;
    const hidden = {
      _writing: new Writing(this), _chunks: [], _held: 0, _ended: false, _event: 0,
      _reading: false, _decoder: null, _timer: null, _endQueued: false,
    };
    for (const { 0: name, 1: value } of each(Object.entries(hidden))) {
      Object.defineProperty(this, name, { writable: true, value });
    }
    if (this._handle !== null && !options.pauseOnCreate) this._read();
  }

  get writable() {
    return !this.destroyed && !this._writing.ending;
  }

  get writableEnded() {
    return this._writing.ending;
  }

  get writableFinished() {
    return this._writing.finished;
  }

  get writableLength() {
    return this._writing.length;
  }

  get writableNeedDrain() {
    return this._writing.needDrain;
  }

  get pending() {
    return this._handle === null || this.connecting;
  }

  get readyState() {
    if (this.connecting) return 'opening';
    if (this.readable && this.writable) return 'open';
    if (this.readable) return 'readOnly';
    return this.writable ? 'writeOnly' : 'closed';
  }

  // Has the loop read, unless it does.
  _read() {
    if (this._reading || this._handle === null || this.connecting || this._ended) return;
    this._reading = true;
    if (this._event === 0) {
      this._event = requests.always((...told) => Reflect.apply(this._onRead, this, told));
    }
    internal.socketRead(this._handle, this._event);
  }

  _onRead(error, memory) {
    this._active();
    if (this.destroyed) return;
    if (error) this.destroy(error);
    else if (memory === undefined) this._onEnd();
    else this._push(Buffer.from(memory));
  }

  _push(bytes) {
    this.bytesRead += bytes.length;
    const chunk = this._decoder ? this._decoder.write(bytes) : bytes;
    if (chunk.length === 0) return;
    if (this.readableFlowing && this._chunks.length === 0 && this.listenerCount('data') > 0) {
      this.emit('data', chunk);
      return;
    }
    push(this._chunks, chunk);
    this._held += chunk.length;
    if (this.readableFlowing) this._flow();
    else if (this._held >= HIGH_WATER_MARK) this._stop();
  }

  _stop() {
    if (!this._reading) return;
    this._reading = false;
    internal.socketPause(this._handle);
  }

  _onEnd() {
    this._ended = true;
    this._reading = false;
    const rest = this._decoder?.end();
    if (rest) {
      push(this._chunks, rest);
      this._held += rest.length;
    }
    if (this.readableFlowing || this._chunks.length === 0) this._flow();
  }

  // Tells what was held back, and then the end.
  _flow() {
    while (this.readableFlowing && this._chunks.length > 0) {
      const chunk = shift(this._chunks);
      this._held -= chunk.length;
      this.emit('data', chunk);
    }
    if (this._chunks.length > 0 || this.destroyed) return;
    if (!this._ended) this._read();
    else if (!this._endQueued) {
      this._endQueued = true;
      nextTick(() => this._tellEnd());
    }
  }

  _tellEnd() {
    if (this.destroyed || this.readableEnded) return;
    this.readable = false;
    this.readableEnded = true;
    this.emit('end');
    if (this._writing.finished) this.destroy();
    else if (!this.allowHalfOpen && this.writable) {
      nextTick(() => {
        if (this.writable) this.end();
      });
    }
  }

  on(name, listener) {
    super.on(name, listener);
    if (name === 'data' && this.readableFlowing !== false) this.resume();
    return this;
  }

  addListener(name, listener) {
    return this.on(name, listener);
  }

  resume() {
    if (!this.readableFlowing) {
      this.readableFlowing = true;
      nextTick(() => {
        if (!this._ended) this._read();
        this.emit('resume');
        if (this.readableFlowing) this._flow();
      });
    }
    return this;
  }

  pause() {
    if (this.readableFlowing !== false) {
      this.readableFlowing = false;
      this.emit('pause');
    }
    return this;
  }

  isPaused() {
    return this.readableFlowing === false;
  }

  setEncoding(encoding) {
    const { StringDecoder } = require('string_decoder');
    this._decoder = new StringDecoder(encoding);
    return this;
  }

  write(data, encoding, callback) {
    if (typeof encoding === 'function') {
      callback = encoding;
      encoding = undefined;
    }
    if (data === null) throw new codes.ERR_STREAM_NULL_VALUES();
    if (typeof data !== 'string' && !ArrayBuffer.isView(data)) {
      const kinds = ['string', 'Buffer', 'TypedArray', 'DataView'];
      throw new codes.ERR_INVALID_ARG_TYPE('chunk', kinds, data);
    }
    const error = this._refusal();
    if (error !== undefined) {
      nextTick(callback ?? noop, error);
      if (!this.destroyed) this.destroy(error);
      return false;
    }
    this._active();
    const bytes = typeof data === 'string' ? Buffer.from(data, encoding)
      : Buffer.from(data.buffer, data.byteOffset, data.byteLength);
    return this._writing.write(bytes, callback ?? noop);
  }

  _refusal() {
    if (this._writing.ending) {
      if (!this.readableEnded || this.allowHalfOpen) return new codes.ERR_STREAM_WRITE_AFTER_END();
      const error = new Error('This socket has been ended by the other party');
      return Object.assign(error, { code: 'EPIPE' });
    }
    return this.destroyed ? new codes.ERR_STREAM_DESTROYED('write') : undefined;
  }

  end(data, encoding, callback) {
    if (typeof data === 'function') {
      callback = data;
      data = undefined;
    }
    if (typeof encoding === 'function') {
      callback = encoding;
      encoding = undefined;
    }
    if (data !== undefined && data !== null) this.write(data, encoding);
    this._writing.end(callback);
    return this;
  }

  destroySoon() {
    if (this.writable) this.end();
    if (this.writableFinished) this.destroy();
    else this.once('finish', this.destroy);
  }

  destroy(error) {
    if (this.destroyed) return this;
    this.destroyed = true;
    this.readable = false;
    this.connecting = false;
    clearTimeout(this._timer);
    const handle = this._handle;
    this._handle = null;
    const hadError = Boolean(error);
    if (error) nextTick(() => this.emit('error', error));
    if (handle === null) nextTick(() => this.emit('close'));
    else {
      if (this._event !== 0) requests.forget(this._event);
      internal.socketClose(handle, requests.once(() => this.emit('close', hadError)));
    }
    this.server?._left();
    return this;
  }

  resetAndDestroy() {
    return this.destroy();
  }

  setTimeout(ms, callback) {
    this.timeout = ms;
    clearTimeout(this._timer);
    if (callback !== undefined) checkFunction(callback, 'callback');
    if (ms === 0) {
      if (callback) this.removeListener('timeout', callback);
      return this;
    }
    this._timer = setTimeout(() => this.emit('timeout'), ms).unref();
    if (callback) this.once('timeout', callback);
    return this;
  }

  // Something has happened: the time of silence begins again.
  _active() {
    if (this._timer !== null && this.timeout > 0) this._timer.refresh();
  }

  setNoDelay(on = true) {
    if (this._handle !== null && !this.connecting) {
      internal.socketNoDelay(this._handle, Boolean(on));
    } else if (!this.destroyed) this.once('connect', () => this.setNoDelay(on));
    return this;
  }

  setKeepAlive() {
    return this;
  }

  ref() {
    return this._hold(true);
  }

  unref() {
    return this._hold(false);
  }

  _hold(on) {
    if (this._handle !== null) internal.socketHold(this._handle, on);
    else this.once('connect', () => this._hold(on));
    return this;
  }

  address() {
    const { 0: local } = this._handle === null ? [] : internal.socketAddresses(this._handle);
    if (!Array.isArray(local)) return {};
    const { 0: address, 1: port, 2: family } = local;
    return { address, family, port };
  }

  pipe(target, { end = true } = {}) {
    this.on('data', (chunk) => {
      if (target.write(chunk) === false) this.pause();
    });
    target.on('drain', () => this.resume());
    if (end) this.on('end', () => target.end());
    target.emit('pipe', this);
    return target;
  }

  connect(...args) {
    const { begin } = require('internal/net/connecting');
    return begin(this, args);
  }

  // Each piece of data as it comes; the socket is destroyed when the loop over them is left.
  async* [Symbol.asyncIterator]() {
    let wake = noop;
    let failure;
    let over = this.destroyed || this.readableEnded;
    const chunks = [];
    const stop = (error) => {
      failure ??= error;
      over = true;
      wake();
    };
    this.on('data', (chunk) => {
      push(chunks, chunk);
      wake();
    });
    this.on('end', () => stop());
    this.on('error', stop);
    this.on('close', () => stop());
    try {
      while (chunks.length > 0 || !over) {
        if (chunks.length > 0) yield shift(chunks);
        else {
          await new Promise((resolve) => {
            wake = resolve;
          });
        }
      }
      if (failure) throw failure;
    } finally {
      this.destroy();
    }
  }
}

const PLACES = { local: 0, remote: 1 };
const PARTS = { Address: 0, Port: 1, Family: 2 };
for (const { 0: side, 1: at } of each(Object.entries(PLACES))) {
  for (const { 0: part, 1: index } of each(Object.entries(PARTS))) {
    Object.defineProperty(Socket.prototype, side + part, {
      configurable: true,
      get() {
        const places = this._handle === null ? null : internal.socketAddresses(this._handle);
        return Array.isArray(places?.[at]) ? places[at][index] : undefined;
      },
    });
  }
}

module.exports = { Socket };
