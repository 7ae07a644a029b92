// Loads small models of many shapes with llama.cpp, and compares its report with the estimate of
// @mai/memory-estimator part by part. Fails if a part that must be exact is not exact. Also prints the errors
// of Mai and of node-llama-cpp, for these models and for real models.
//
// Run with: npm run setup && npm run compare (in bench/accuracy; build the workspace first).
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { quantile } from '../../yardstick/statistics.mjs';
import { printPeerTables } from './comparison/peer-tables.mjs';
import { compareRealModels } from './comparison/real-models.mjs';
import { compareSmallShapes } from './comparison/small-shapes.mjs';

/** Shapes with recurrent layers: their compute buffers may differ by 2 %. */
const RECURRENT = new Set(['mamba2', 'granitehybrid', 'falcon-h1', 'qwen3next']);

const folder = mkdtempSync(path.join(tmpdir(), 'mai-accuracy-'));
try {
  const { rows, refusals } = await compareSmallShapes(folder);
  report(rows, refusals);
  const real = await compareRealModels(folder);
  printPeerTables(`${rows.length} loads of ${count(rows)} small shapes`, rows);
  printPeerTables(`${real.length} loads of ${count(real)} real models`, real);
} finally {
  rmSync(folder, { recursive: true, force: true });
}

function report(rows, refusals) {
  for (const refusal of refusals) console.log(`not loaded by llama.cpp: ${refusal}`);
  console.log(
    `${rows.length} loads of ${count(rows)} shapes against llama.cpp; errors in % of the part\n`,
  );
  console.log('part              exact    median     p90    worst');
  for (const part of Object.keys(rows[0].errors)) {
    const errors = rows.map((row) => Math.abs(row.errors[part].ratio));
    const exact = rows.filter((row) => row.errors[part].bytes === 0).length;
    const at = (share) => percent(quantile(errors, share));
    console.log(
      `${part.padEnd(16)} ${`${exact}/${rows.length}`.padStart(7)} ${at(0.5)} ${at(0.9)} ${at(1)}`,
    );
  }
  const failures = rows.filter(({ name, errors }) =>
    Object.entries(errors).some(([part, { bytes, ratio }]) =>
      RECURRENT.has(name) && (part === 'compute' || part === 'context')
        ? Math.abs(ratio) > 0.02
        : bytes !== 0,
    ),
  );
  for (const { name, one, errors } of failures) {
    const wrong = Object.entries(errors).filter(([, { bytes }]) => bytes !== 0);
    console.error(
      `${name} ${JSON.stringify(one)}: ${wrong.map(([part, { bytes }]) => `${part} ${bytes}`).join(', ')}`,
    );
  }
  console.log(`\n${rows.length - failures.length} passed, ${failures.length} failed`);
  process.exitCode = failures.length === 0 ? 0 : 1;
}

function count(rows) {
  return new Set(rows.map(({ name }) => name)).size;
}

function percent(ratio) {
  return `${(ratio * 100).toFixed(3)} %`.padStart(8);
}
