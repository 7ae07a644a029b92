// The preset for packages whose tests run the embedded engine.
const path = require('node:path');
const preset = require('./jest.preset.cjs');

module.exports = {
  ...preset,
  moduleNameMapper: {
    // The built package, because its child processes are programs beside the bundle.
    '^@mai/llama-runtime$': path.join(__dirname, 'packages/llama-runtime/dist/index.cjs'),
    ...preset.moduleNameMapper,
  },
};
