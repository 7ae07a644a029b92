#!/usr/bin/env node
'use strict';
// CommonJS, because starting Node's ES module loader takes longer than printing the version.
const argv = process.argv.slice(2);

if (argv.length === 1 && (argv[0] === '--version' || argv[0] === '-V')) {
  process.stdout.write(`mai ${require('../package.json').version}\n`);
} else {
  const { requireCompiled } = require('./require-compiled.js');
  requireCompiled('main.cjs', argv[0] ?? '');
}
