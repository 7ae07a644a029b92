// The real clients keep connections open between requests, and prom-client's collector of garbage collections has no end, so
// the process would not exit by itself.
module.exports = {
  ...require('../../jest.preset.cjs'),
  displayName: 'gateway',
  forceExit: true,
};
