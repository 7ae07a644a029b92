// Loads small models of many shapes with the real llama.cpp, reads its own report, and compares it with
// what @mai/memory-estimator says from the header, part by part. Fails where an exact part is not exact.
//
// Run with: npm run setup && npm run compare (in bench/accuracy; build the workspace first).
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { estimateReport, readGgufHeader } from '../../../packages/memory-estimator/dist/index.js';
import { CASES } from './cases.mjs';
import { shapes } from './shapes.mjs';
import { writeGguf } from './write-gguf.mjs';

const LOADER = fileURLToPath(new URL('load-with-llama.mjs', import.meta.url));
const BYTES_PER_MIB = 1_048_576;
/** llama.cpp's log has two decimals of MiB. */
const LOG_ROUNDING_BYTES = 0.0101 * BYTES_PER_MIB;
/** Where the graph holds recurrent layers, 2 % of the compute buffer is the target. */
const RECURRENT = new Set(['mamba2', 'granitehybrid', 'falcon-h1', 'qwen3next']);

const folder = mkdtempSync(path.join(tmpdir(), 'mai-accuracy-'));
const rows = [];
const refusals = [];
try {
  for (const [name, shape] of Object.entries(shapes())) {
    const file = path.join(folder, `${name}.gguf`);
    writeGguf(file, shape);
    rows.push(...(await compareShape(name, file)));
    rmSync(file);
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
report();

async function compareShape(name, file) {
  const header = await readGgufHeader(file);
  return loadWithLlama(name, file).flatMap((truth, index) => {
    const one = CASES[index];
    if (truth.refused !== undefined) {
      refusals.push(`${name} ${JSON.stringify(one)}: ${truth.refused.split('\n').at(-1)}`);
      return [];
    }
    const { ram } = estimateReport(header, {
      contextLengthTokens: one.context,
      kvCacheTypeK: one.kvK,
      kvCacheTypeV: one.kvV,
      flashAttention: one.flashAttention,
      batchTokens: one.batch,
      ubatchTokens: truth.ubatch,
      parallelSequences: one.parallel,
      kvUnified: false,
      swaFull: one.swaFull,
      gpuLayers: 0,
      gpuBackend: 'none',
      cpu: 'auto',
    });
    const context = ram.kvCacheBytes + ram.recurrentStateBytes + ram.computeBytes;
    return {
      name,
      one,
      errors: {
        repack: logError(ram.repackBytes, truth.repackMib),
        'KV cache': logError(ram.kvCacheBytes, truth.kvMib),
        'recurrent state': logError(ram.recurrentStateBytes, truth.recurrentMib),
        output: logError(ram.outputBytes, truth.outputMib),
        compute: logError(ram.computeBytes, truth.computeMib),
        context: error(context, truth.contextBytes),
      },
    };
  });
}

function loadWithLlama(name, file) {
  const { status, signal, stdout, stderr } = spawnSync(process.execPath, [LOADER], {
    input: JSON.stringify({ file, headerOnly: false, cases: CASES }),
    encoding: 'utf8',
    maxBuffer: 64 * BYTES_PER_MIB,
  });
  if (status !== 0)
    throw new Error(`${name}: llama.cpp ended with ${signal ?? status}\n${stderr.slice(-2000)}`);
  return JSON.parse(stdout);
}

function error(estimated, truth) {
  return {
    bytes: estimated - truth,
    ratio: truth === 0 ? (estimated === 0 ? 0 : Infinity) : (estimated - truth) / truth,
  };
}

/** Against a figure of the log, rounded as it is. */
function logError(estimated, mib) {
  const truth = mib * BYTES_PER_MIB;
  return Math.abs(estimated - truth) <= LOG_ROUNDING_BYTES
    ? { bytes: 0, ratio: 0 }
    : error(estimated, truth);
}

function report() {
  for (const refusal of refusals) console.log(`not loaded by llama.cpp: ${refusal}`);
  const parts = Object.keys(rows[0].errors);
  console.log(
    `${rows.length} loads of ${new Set(rows.map(({ name }) => name)).size} shapes; errors in % of the part\n`,
  );
  console.log('part              exact    median     p90    worst');
  for (const part of parts) {
    const errors = rows.map((row) => Math.abs(row.errors[part].ratio)).sort((a, b) => a - b);
    const exact = rows.filter((row) => row.errors[part].bytes === 0).length;
    const at = (share) =>
      percent(errors[Math.min(errors.length - 1, Math.floor(errors.length * share))]);
    console.log(
      `${part.padEnd(16)} ${`${exact}/${rows.length}`.padStart(7)} ${at(0.5)} ${at(0.9)} ${at(1)}`,
    );
  }
  console.log('\narchitecture       worst of context');
  for (const name of new Set(rows.map((row) => row.name))) {
    const worst = Math.max(
      ...rows.filter((row) => row.name === name).map((row) => Math.abs(row.errors.context.ratio)),
    );
    console.log(`${name.padEnd(16)} ${percent(worst)}`);
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

function percent(ratio) {
  return `${(ratio * 100).toFixed(3)} %`.padStart(8);
}
