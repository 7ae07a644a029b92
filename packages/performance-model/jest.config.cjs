module.exports = { ...require('../../jest.preset.cjs'), displayName: 'performance-model' };
