// shows: An HTTP server that answers at once, under the load of 16 connections.
// see: healthy.
'use strict';

const http = require('node:http');
const { underLoad } = require('../support/load');

underLoad(http.createServer((request, response) => response.end('hello, world\n')), 'http', 16);
