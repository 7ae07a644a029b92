module.exports = { ...require('../../jest.preset.cjs'), displayName: 'resource-monitor' };
