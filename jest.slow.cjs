// The slow tests of the package in the working directory: real processes, engines and servers, and long simulations.
const path = require('node:path');
const own = require(path.resolve('jest.config.cjs'));

module.exports = {
  ...own,
  rootDir: process.cwd(),
  testMatch: ['**/*.slow.test.ts'],
  testPathIgnorePatterns: own.testPathIgnorePatterns.filter((pattern) => !pattern.includes('slow')),
};
