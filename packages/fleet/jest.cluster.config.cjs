// The tests of a cluster of three nats-servers. They run alone: where other tests use the disk at the same time, the
// servers wait for it so long that they lose contact with each other. Run with `npm run test:cluster`.
module.exports = {
  ...require('../../jest.preset.cjs'),
  displayName: 'fleet cluster',
  testMatch: ['**/src/pairing/hosts/cluster.test.ts'],
};
