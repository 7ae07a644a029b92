module.exports = { ...require('../../jest.preset.cjs'), displayName: 'lmstudio-adapter' };
