const preset = require('../../jest.preset.cjs');

module.exports = {
  ...preset,
  displayName: 'fleet',
  testPathIgnorePatterns: [...preset.testPathIgnorePatterns, '/pairing/hosts/cluster.test.ts'],
};
