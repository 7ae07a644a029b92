// The real clients keep connections open between requests, and prom-client's collector of garbage collections has no end, so
// the process would not exit by itself.
const path = require('node:path');
const preset = require('../../jest.preset.cjs');

module.exports = {
  ...preset,
  displayName: 'gateway',
  forceExit: true,
  moduleNameMapper: {
    // The built package, because its child processes are programs beside the bundle.
    '^@mai/llama-runtime$': path.join(__dirname, '..', 'llama-runtime', 'dist', 'index.cjs'),
    ...preset.moduleNameMapper,
  },
};
