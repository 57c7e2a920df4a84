'use strict';
// Servers and sockets: prints what they tell, with the ticks and jobs behind it.
const net = require('net');

const path = `${process.argv[2]}/socket`;
const log = console.log;
const EVENTS = ['connect', 'ready', 'end', 'finish', 'close', 'error', 'drain', 'resume', 'pause'];

function watch(name, socket) {
  for (const event of EVENTS) {
    socket.on(event, (value) => {
      log(name, event, value?.message ?? value);
      process.nextTick(() => log(name, event, 'tick'));
      Promise.resolve().then(() => log(name, event, 'job'));
    });
  }
}

// One exchange; the other side ends only when it has the answer, so that all is in one order.
function exchange(where, next) {
  const server = net.createServer((peer) => {
    watch('peer', peer);
    peer.on('data', (data) => {
      log('peer data', String(data));
      log(peer.write(`echo ${data}`, () => log('peer wrote')));
    });
  });
  server.on('close', () => log('server close'));
  server.listen(where === path ? path : { port: 0, host: where }, () => {
    const address = server.address();
    log(where === path ? address : [address.address, address.family, typeof address.port]);
    const client = where === path ? net.connect(path) : net.connect(address.port, where);
    watch('client', client);
    log(client.connecting, client.readyState, client.write('hello', () => log('client wrote')));
    client.setEncoding('utf8');
    client.on('data', (data) => {
      log('client data', data, client.remoteAddress, client.remotePort === address.port);
      client.end(() => log('ended'));
    });
    client.on('close', () => server.close(() => {
      server.close((error) => {
        log(error.code, error.message);
        next();
      });
    }));
  });
}

function failures(next) {
  for (const attempt of [
    () => net.connect(), () => net.connect(70000), () => net.createServer().listen(-1),
    () => net.createServer(5), () => new net.Socket().write(null), () => new net.Socket().write(5),
  ]) {
    try {
      attempt();
    } catch (error) {
      log(error.code, error.message);
    }
  }
  const refused = net.connect(1, '127.0.0.1');
  watch('refused', refused);
  refused.on('close', () => {
    const missing = net.connect(`${path}-none`);
    missing.on('error', (error) => log(error.message, Object.keys(error).join()));
    missing.on('close', () => taken(next));
  });
}

function taken(next) {
  const first = net.createServer().listen(0, '127.0.0.1', () => {
    const { port } = first.address();
    const second = net.createServer().listen(port, '127.0.0.1');
    second.on('error', (error) => {
      log(error.message.replace(port, 'PORT'), error.code, Object.keys(error).join());
      first.close(next);
    });
  });
}

function flood(next) {
  let got = 0;
  let sent = 0;
  const server = net.createServer((peer) => {
    peer.on('data', (data) => {
      got += data.length;
    });
    peer.on('end', () => {
      log(got === sent, got > 1e5);
      peer.end();
    });
  }).listen(0, () => {
    const client = net.connect(server.address().port, '127.0.0.1', () => {
      const piece = Buffer.alloc(65536);
      do sent += piece.length;
      while (client.write(piece));
      log(client.writableNeedDrain, client.writableLength > 0);
      client.on('drain', () => {
        log('drained', client.writableLength);
        client.end();
      });
    });
    client.on('close', () => server.close(next));
  });
}

function halves(next) {
  const server = net.createServer({ allowHalfOpen: true }, (peer) => {
    peer.resume();
    peer.on('end', () => {
      log('half', peer.writable);
      peer.end('late');
    });
  }).listen(0, async () => {
    const client = net.connect(server.address().port, '127.0.0.1');
    client.end();
    let text = '';
    for await (const data of client) text += data;
    log(text, client.destroyed);
    server.close(next);
  });
}

function piped() {
  const server = net.createServer((peer) => peer.pipe(peer)).listen(0, () => {
    const client = net.connect(server.address().port, '127.0.0.1');
    client.end('piped');
    client.on('data', (data) => log(String(data)));
    client.on('close', (hadError) => {
      log(hadError);
      server.close(() => log('all'));
    });
  });
}

exchange('127.0.0.1', () => exchange(path, () => failures(() => taken(() => flood(() => {
  halves(piped);
})))));
