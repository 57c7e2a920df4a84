'use strict';
// The side of a socket that writes: what the system takes at once is told in a tick, the rest when
// it is written; what is written meanwhile waits and goes out together.
//
// internal.socketTryWrite(socket, bytes) -> how many, socketWrite(socket, bytes, request),
// socketShutdown(socket, request).

const { Buffer } = require('buffer');
const { once } = require('internal/requests');
const { nextTick } = require('internal/task_queues');
const { bytesSubarray, each, map, push, splice } = require('internal/primordials');

const HIGH_WATER_MARK = 16 * 1024;

class Writing {
  length = 0; // bytes that are not written yet
  writing = false;
  waiting = []; // [bytes, callback] behind the write that is under way
  pending = 0; // callbacks that are to come
  needDrain = false;
  ending = false;
  finalCalled = false;
  finished = false;
  onFinished = [];
  sync = false;

  constructor(socket) {
    this.socket = socket;
  }

  write(bytes, callback) {
    this.length += bytes.length;
    this.pending++;
    if (this.writing) push(this.waiting, [bytes, callback]);
    else this.begin(bytes, [callback]);
    const hasRoom = this.length < HIGH_WATER_MARK;
    if (!hasRoom) this.needDrain = true;
    return hasRoom && !this.socket.destroyed;
  }

  begin(bytes, callbacks) {
    this.writing = true;
    this.sync = true;
    const done = (error) => this.written(error, bytes.length, callbacks);
    if (this.socket.connecting) this.socket.once('connect', () => this.send(bytes, done));
    else this.send(bytes, done);
    this.sync = false;
  }

  send(bytes, done) {
    const { socket } = this;
    let sent = 0;
    try {
      sent = internal.socketTryWrite(socket._handle, bytes);
    } catch (error) {
      done(error);
      return;
    }
    socket.bytesWritten += bytes.length;
    if (sent === bytes.length) done(null);
    else internal.socketWrite(socket._handle, bytesSubarray(bytes, sent), once(done));
  }

  written(error, length, callbacks) {
    this.writing = false;
    if (this.socket.destroyed && !error) {
      for (const callback of each(callbacks)) callback(null);
      return;
    }
    this.length -= length;
    const { sync } = this;
    if (error) {
      const fail = () => {
        this.pending -= callbacks.length;
        for (const callback of each(callbacks)) callback(error);
        this.socket.destroy(error);
      };
      if (sync) nextTick(fail);
      else fail();
      return;
    }
    if (this.waiting.length > 0) this.sendWaiting();
    if (sync) nextTick(() => this.after(callbacks));
    else this.after(callbacks);
  }

  sendWaiting() {
    const { waiting } = this;
    this.waiting = [];
    const bytes = waiting.length === 1 ? waiting[0][0]
      : Buffer.concat(map(waiting, ({ 0: one }) => one));
    this.begin(bytes, map(waiting, ({ 1: callback }) => callback));
  }

  after(callbacks) {
    const { socket } = this;
    if (!this.ending && !socket.destroyed && this.length === 0 && this.needDrain) {
      this.needDrain = false;
      socket.emit('drain');
    }
    for (const callback of each(callbacks)) {
      this.pending--;
      callback(null);
    }
    if (!socket.destroyed) this.finishMaybe();
  }

  needsFinish() {
    return this.ending && this.length === 0 && this.waiting.length === 0 && !this.writing &&
      !this.finished && !this.socket.destroyed;
  }

  end(callback) {
    if (this.finished && callback) nextTick(callback);
    else if (callback) push(this.onFinished, callback);
    if (this.ending) return;
    this.ending = true;
    this.finishMaybe();
  }

  finishMaybe() {
    if (!this.needsFinish() || this.finalCalled) return;
    this.finalCalled = true;
    this.shutDown();
  }

  shutDown() {
    const { socket } = this;
    if (socket.connecting) {
      socket.once('connect', () => this.shutDown());
      return;
    }
    internal.socketShutdown(socket._handle, once((error) => {
      if (socket.destroyed) return;
      if (error && error.code !== 'ENOTCONN') socket.destroy(error);
      else if (this.needsFinish()) nextTick(() => this.finish());
    }));
  }

  finish() {
    if (this.socket.destroyed) return;
    this.finished = true;
    for (const callback of each(splice(this.onFinished, 0))) callback();
    this.socket.emit('finish');
    if (this.socket.readableEnded) this.socket.destroy();
  }
}

module.exports = { HIGH_WATER_MARK, Writing };
