module.exports = { ...require('../../jest.embedded-preset.cjs'), displayName: 'gateway' };
