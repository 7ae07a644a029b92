// Loads small models of many shapes with the embedded engine, and compares the estimate of @mai/memory-estimator with
// llama.cpp's log and with the memory that the engine's process takes. Fails where a part of the log differs, where
// the measured memory differs by more than 1 % and more than 8 MiB, or where the whole process takes more than the upper end
// of the estimate. Linux only.
//
// Run with: npm run bench:embedded (build the workspace first).
import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import path from 'node:path';
import {
  CPU_ENVIRONMENT,
  estimateFootprint,
  readGgufHeader,
  resolveEngineProfile,
} from '@mai/memory-estimator';
import { writeGguf } from '../accuracy/src/models/write-gguf.mjs';
import { compareWithLog } from './compare-with-log.mjs';
import { LOADS } from './loads.mjs';
import { measureLoad } from './measure-load.mjs';
import { smallModels } from './small-models.mjs';

const MIB = 1024 ** 2;
const BOUND = { bytes: 8 * MIB, ratio: 0.01 };

const environment = { ...CPU_ENVIRONMENT, profile: resolveEngineProfile({ engine: 'embedded' }) };
const folder = mkdtempSync(path.join(tmpdir(), 'mai-embedded-'));
const models = smallModels();
const rows = [];
try {
  for (const name of new Set(LOADS.map(({ model }) => model)))
    writeGguf(path.join(folder, `${name}.gguf`), models[name]);
  const todo = [...LOADS.entries()];
  const work = async () => {
    for (let next = todo.shift(); next !== undefined; next = todo.shift()) {
      const [i, load] = next;
      rows[i] = await compare(load);
    }
  };
  await Promise.all(Array.from({ length: Math.min(2, availableParallelism()) }, work));
} finally {
  rmSync(folder, { recursive: true, force: true });
}
report();

async function compare(load) {
  const file = path.join(folder, `${load.model}.gguf`);
  const estimate = estimateFootprint(
    await readGgufHeader(file),
    {
      contextLengthTokens: load.context,
      parallelSequences: load.parallel,
      offloadRatio: null,
      kvCacheTypeK: load.kvK,
      kvCacheTypeV: load.kvV,
      flashAttention: load.flashAttention,
      cpuExpertRatio: null,
    },
    { ...environment, isEmbedding: load.embedding },
  );
  const measured = await measureLoad(file, load);
  // The measured process has filled its whole cache, after which a model grows no more.
  const expectedBytes = estimate.ram.anonymousBytes + estimate.growth.mostBytes;
  const differenceBytes = measured.usedBytes - expectedBytes;
  const bound = Math.max(BOUND.bytes, BOUND.ratio * expectedBytes);
  return {
    load,
    log: compareWithLog(estimate.parts.ram, measured.bufferLines),
    computeBytes: estimate.parts.ram.computeBytes,
    expectedBytes,
    loadedBytes: measured.loadedBytes,
    usedBytes: measured.usedBytes,
    differenceBytes,
    isWithin: Math.abs(differenceBytes) <= bound,
    // Mapped weights are not anonymous memory.
    belowUpperEndBytes:
      estimate.interval.highBytes -
      estimate.ram.mappedBytes +
      estimate.growth.mostBytes -
      measured.wholeBytes,
  };
}

function report() {
  console.log(
    `${'MiB of anonymous memory'.padEnd(52)}   log  compute  expected    loaded      used  difference  below the upper end`,
  );
  for (const row of rows) {
    const { load, log, isWithin } = row;
    const figures = [row.computeBytes, row.expectedBytes, row.loadedBytes, row.usedBytes]
      .map((bytes) => mib(bytes).padStart(10))
      .join('');
    console.log(
      `${title(load).padEnd(52)} ${log.length === 0 ? 'exact' : ' DIFF'}${figures}${mib(row.differenceBytes).padStart(12)}${mib(row.belowUpperEndBytes).padStart(21)}${isWithin ? '' : '  missed'}`,
    );
    for (const { part, estimatedBytes, logMib } of log)
      console.log(`    ${part}: estimate ${mib(estimatedBytes)}, log ${logMib} MiB`);
  }
  const exact = rows.filter(({ log }) => log.length === 0).length;
  const within = rows.filter(({ isWithin }) => isWithin).length;
  console.log(
    `\nEvery part equals llama.cpp's log in ${exact} of ${rows.length} loads. The process takes the estimated memory within 1 % or 8 MiB in ${within} of ${rows.length} loads.`,
  );
  const below = rows.map(({ belowUpperEndBytes }) => belowUpperEndBytes);
  console.log(
    `The whole process stays below the upper end by ${mib(Math.min(...below))} to ${mib(Math.max(...below))} MiB.`,
  );
  const isRight = exact === rows.length && within === rows.length && Math.min(...below) >= 0;
  process.exitCode = isRight ? 0 : 1;
}

function title({ model, context, parallel, kvK, kvV, flashAttention }) {
  const cache = kvK === 'f16' && kvV === 'f16' ? '' : `, ${kvK}/${kvV}`;
  const attention = flashAttention === false ? ', no flash attention' : '';
  return `${model} ${parallel} x ${context}${cache}${attention}`;
}

function mib(bytes) {
  return (bytes / MIB).toFixed(2);
}
