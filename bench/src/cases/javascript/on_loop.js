// Runs a batch each time nothing is left to do.
process.on('beforeExit', () => setImmediate(batch, () => {}));
