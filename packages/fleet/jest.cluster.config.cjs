// The tests of a cluster of three nats-servers. They run alone, because three servers that wait for the disk beside
// other tests lose each other: npm run test:cluster
module.exports = {
  ...require('../../jest.preset.cjs'),
  displayName: 'fleet cluster',
  testMatch: ['**/src/pairing/hosts/cluster.test.ts'],
};
