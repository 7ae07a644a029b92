const path = require('node:path');
const preset = require('../../jest.preset.cjs');

module.exports = {
  ...preset,
  displayName: 'host',
  moduleNameMapper: {
    // The built package, because its child processes are programs beside the bundle.
    '^@mai/llama-runtime$': path.join(__dirname, '..', 'llama-runtime', 'dist', 'index.cjs'),
    ...preset.moduleNameMapper,
  },
};
