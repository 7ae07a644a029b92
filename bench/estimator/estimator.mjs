// Measures how long the memory estimate takes: reading a header, estimates, searches and the header cache.
// Each measurement takes turns with the yardstick's fixed work or with other readers, and the ratio is
// judged.
//
// node bench/estimator/estimator.mjs [--rounds N]
//
// Build first (`npm run build`). The other readers are compared where `npm run setup` was run in bench/accuracy.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { measureCache } from './cache.mjs';
import { measureEstimates } from './estimates.mjs';
import { measureReaders } from './readers.mjs';

const { values } = parseArgs({ options: { rounds: { type: 'string', default: '5' } } });
const rounds = Number(values.rounds);
const folder = mkdtempSync(path.join(tmpdir(), 'mai-estimator-'));
try {
  console.log(`Node ${process.version}, medians of ${rounds} rounds in turns\n`);
  measureReaders(folder, rounds);
  await measureEstimates(rounds);
  await measureCache(folder, rounds);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
