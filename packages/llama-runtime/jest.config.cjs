module.exports = { ...require('../../jest.preset.cjs'), displayName: 'llama-runtime' };
