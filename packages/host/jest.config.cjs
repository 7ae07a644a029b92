module.exports = { ...require('../../jest.embedded-preset.cjs'), displayName: 'host' };
