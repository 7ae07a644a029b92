// Compares the estimates of real models. The package's corpus has the models' headers and llama.cpp's reports
// of earlier loads. Mai and node-llama-cpp estimate these loads anew.
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { gunzipSync } from 'node:zlib';
import { estimateReport, readGgufHeader } from '@mai/memory-estimator';
import { isQuantizedCacheType } from '@mai/memory-ledger';
import { partsOfLoad } from './parts-of-load.mjs';
import { runNode } from '../llama/run-node.mjs';

const CORPUS = new URL('../../../../packages/memory-estimator/test/corpus/', import.meta.url);

/** Returns a row for each load of the corpus. */
export async function compareRealModels(folder) {
  const { entries } = JSON.parse(readFileSync(new URL('cpu.json', CORPUS), 'utf8'));
  const models = [...new Set(entries.map((entry) => entry.model))].map((name) => ({
    name,
    file: unpack(name, folder),
    loads: entries.filter((entry) => entry.model === name),
  }));
  const answers = await runNode(
    'ask-about-headers.mjs',
    models.map(({ file, loads }) => ({ file, cases: loads.map(caseOf) })),
  );
  const rows = [];
  for (const [i, { name, file, loads }] of models.entries()) {
    const header = await readGgufHeader(file);
    for (const [j, load] of loads.entries()) rows.push(row(name, header, load, answers[i][j]));
  }
  return rows;
}

function unpack(name, folder) {
  const file = path.join(folder, `${name}.gguf`);
  writeFileSync(file, gunzipSync(readFileSync(new URL(`headers/${name}.gguf-header.gz`, CORPUS))));
  return file;
}

function caseOf(load) {
  return {
    context: load.contextLength,
    batch: load.nUbatchEffective,
    parallel: load.parallel,
    flashAttention: load.flashAttention,
    kvK: load.kvType,
    kvV: load.kvType,
    swaFull: load.swaFull,
  };
}

function row(name, header, load, peer) {
  const { measured } = load;
  const { ram } = estimateReport(header, {
    contextLengthTokens: load.contextLength,
    kvCacheTypeK: load.kvType,
    kvCacheTypeV: load.kvType,
    flashAttention: load.flashAttention,
    batchTokens: load.batch,
    ubatchTokens: load.nUbatchEffective,
    parallelSequences: load.parallel,
    kvUnified: load.kvUnified,
    swaFull: load.swaFull,
    gpuLayers: 0,
    gpuBackend: 'none',
    cpu: 'avx2',
  });
  return {
    name,
    architecture: header.architecture,
    quantisedCache: isQuantizedCacheType(load.kvType),
    parts: partsOfLoad({
      ram,
      peer,
      truth: {
        weightsBytes: measured.weightsBytes,
        repackBytes: load.dryRun ? null : measured.repackMiB * 1024 * 1024,
        cacheBytes: measured.kvBytes + measured.recurrentBytes,
        buffersBytes: measured.computeBytes + measured.outputBytes,
      },
    }),
  };
}
