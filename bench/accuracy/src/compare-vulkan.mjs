// Loads the small models with layers on a Vulkan device, and compares llama.cpp's report of each device with
// the estimate of @mai/memory-estimator. Works with any Vulkan device, including Mesa's software device.
//
// Run with: npm run setup && npm run setup:vulkan && npm run compare:vulkan (in bench/accuracy; on Debian the
// software device is in mesa-vulkan-drivers).
//
// With the argument `no-kv-offload`, the KV cache is in RAM. This needs Linux on x64, and a C compiler named `cc`.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  estimateReport,
  readGgufHeader,
  resolveEngineProfile,
  withKnownSettings,
} from '@mai/memory-estimator';
import { quantile } from '../../yardstick/statistics.mjs';
import { CASES } from './models/cases.mjs';
import { runNode } from './llama/run-node.mjs';
import { shapes } from './models/shapes.mjs';
import { writeGguf } from './models/write-gguf.mjs';

const MIB = 1024 * 1024;
/** The log has two decimals of MiB for each buffer. */
const LOG_ROUNDING_MIB = 0.0251;
const PARTS = {
  weights: 'weightsBytes',
  'KV cache': 'kvCacheBytes',
  state: 'recurrentStateBytes',
  compute: 'computeBytes',
};

// llama.cpp ignores a software device unless it is selected here.
process.env.GGML_VK_VISIBLE_DEVICES ??= '0';
const folder = mkdtempSync(path.join(tmpdir(), 'mai-vulkan-'));
const offloadsKvCache = process.argv[2] !== 'no-kv-offload';
const env = offloadsKvCache ? {} : { LD_PRELOAD: compileLibrary() };
const profile = withKnownSettings(
  resolveEngineProfile({ engine: 'llama.cpp' }),
  { offloadsKvCache },
  'the argument',
);
try {
  report(await compareShapes());
} finally {
  rmSync(folder, { recursive: true, force: true });
}

async function compareShapes() {
  const rows = [];
  for (const [name, shape] of Object.entries(shapes())) {
    const file = path.join(folder, `${name}.gguf`);
    writeGguf(file, shape);
    const header = await readGgufHeader(file);
    const layers = header.metadata.get(`${header.architecture}.block_count`);
    for (const gpuLayers of [0, 1, Math.floor(layers / 2), layers, layers + 1]) {
      const loads = await runNode('load-on-vulkan.mjs', { file, gpuLayers, cases: CASES }, env);
      for (const [i, truth] of loads.entries())
        if (truth.refused === undefined)
          rows.push(row(name, header, { ...CASES[i], gpuLayers }, truth));
    }
    rmSync(file);
  }
  return rows;
}

function row(name, header, one, truth) {
  const settings = {
    contextLengthTokens: one.context,
    kvCacheTypeK: one.kvK,
    kvCacheTypeV: one.kvV,
    flashAttention: one.flashAttention,
    batchTokens: one.batch,
    // Unlike node-llama-cpp, `newContext` does not add 1 for models with sliding windows.
    ubatchTokens: one.batch,
    parallelSequences: one.parallel,
    kvUnified: false,
    swaFull: one.swaFull,
    gpuLayers: one.gpuLayers,
    gpuBackend: 'vulkan',
    cpu: 'auto',
  };
  const { ram, gpus } = estimateReport(header, settings, null, { profile });
  const errors = {};
  for (const [part, key] of Object.entries(PARTS)) {
    errors[`${part}, GPU`] = error(gpus[0][key], truth.gpu[part]);
    // Weights in RAM cannot be compared, because the log's sum includes repacked copies and whole pages of
    // mapped files.
    if (part !== 'weights') errors[`${part}, RAM`] = error(ram[key], truth.ram[part]);
  }
  return { name, errors };
}

/** The library that keeps the KV cache in RAM. */
function compileLibrary() {
  const source = fileURLToPath(new URL('llama/no-kv-offload.c', import.meta.url));
  const library = path.join(folder, 'no-kv-offload.so');
  execFileSync('cc', ['-shared', '-fPIC', '-O1', '-o', library, source, '-ldl']);
  return library;
}

function error(bytes, mib) {
  const difference = bytes / MIB - mib;
  if (Math.abs(difference) <= LOG_ROUNDING_MIB) return 0;
  return mib === 0 ? 1 : Math.abs(difference) / mib;
}

function report(rows) {
  const names = [...new Set(rows.map(({ name }) => name))];
  console.log(
    `${rows.length} loads of ${names.length} shapes on Vulkan; errors in % of the part\n`,
  );
  console.log('part              exact    median      p90    worst');
  for (const part of Object.keys(rows[0].errors)) {
    const errors = rows.map((one) => one.errors[part]);
    const at = (share) => `${(100 * quantile(errors, share)).toFixed(2)}`.padStart(8);
    const exact = `${errors.filter((one) => one === 0).length}/${rows.length}`.padStart(9);
    console.log(`${part.padEnd(14)} ${exact} ${at(0.5)} ${at(0.9)} ${at(1)}`);
  }
  const off = names.flatMap((name) => {
    const own = rows.filter((one) => one.name === name);
    const wrong = own.filter(({ errors }) => Object.values(errors).some((one) => one !== 0));
    return wrong.length === 0 ? [] : `${name} ${wrong.length} of ${own.length}`;
  });
  console.log(`\nnot exact in every part: ${off.join(', ') || 'none'}`);
}
