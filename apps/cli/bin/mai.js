#!/usr/bin/env node
'use strict';
// CommonJS, because starting Node's ES module loader takes longer than printing the version.
const argv = process.argv.slice(2);

if (argv.length !== 1 || (argv[0] !== '--version' && argv[0] !== '-V') || !printVersion()) {
  const { requireCompiled } = require('./require-compiled.js');
  requireCompiled('main.cjs', argv[0] ?? '');
}

/** Returns false if stdout cannot be written. The full program then reports the error. */
function printVersion() {
  try {
    require('node:fs').writeSync(1, `mai ${require('../package.json').version}\n`);
    return true;
  } catch {
    return false;
  }
}
