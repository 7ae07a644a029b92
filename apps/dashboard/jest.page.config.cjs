// The tests in a real browser. They need a built page and Chromium: npm run test:page
module.exports = {
  ...require('../../jest.preset.cjs'),
  displayName: 'dashboard page',
  testMatch: ['**/test/page/*.page.ts'],
  testTimeout: 60_000,
};
