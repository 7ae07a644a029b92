// Sources are ES modules in TypeScript; Jest runs them as CommonJS, compiled by swc.
const path = require('node:path');

// Nx asks for colours; tests see the same plain output however they are started.
delete process.env.FORCE_COLOR;

// `npm run test:slow` runs these, by jest.slow.cjs.
const SLOW_TESTS = '\\.slow\\.test\\.ts$';

const ESM_ONLY = [
  'string-width',
  'strip-ansi',
  'ansi-regex',
  'get-east-asian-width',
  'emoji-regex',
];

module.exports = {
  testEnvironment: 'node',
  testMatch: ['**/*.test.ts'],
  testPathIgnorePatterns: ['/node_modules/', '/dist/', SLOW_TESTS],
  modulePathIgnorePatterns: ['/dist/'],
  transform: {
    '^.+\\.[cm]?[jt]s$': [
      '@swc/jest',
      {
        jsc: { parser: { syntax: 'typescript' }, target: 'es2022' },
        module: { type: 'commonjs' },
        // In a file of its own. Jest would read, hash and compile a map within the code for each test file.
        sourceMaps: true,
      },
    ],
  },
  transformIgnorePatterns: [`/node_modules/(?!(${ESM_ONLY.join('|')})/)`],
  moduleNameMapper: {
    '^(\\.{1,2}/.*)\\.js$': '$1',
    '^@mai/([a-z-]+)$': path.join(__dirname, 'packages/$1/src/index.ts'),
  },
  testTimeout: 60_000,
};
