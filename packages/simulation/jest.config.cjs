// A scenario plays hours of a machine; on a slow or shared machine that takes longer than the preset allows.
module.exports = {
  ...require('../../jest.preset.cjs'),
  displayName: 'simulation',
  testTimeout: 120_000,
};
