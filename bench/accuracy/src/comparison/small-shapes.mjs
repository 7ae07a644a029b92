// Writes small models of many shapes, and loads each with llama.cpp in every case.
import { rmSync } from 'node:fs';
import path from 'node:path';
import { estimateReport, readGgufHeader } from '@mai/memory-estimator';
import { isQuantizedCacheType } from '@mai/memory-ledger';
import { CASES } from '../models/cases.mjs';
import { error, logError } from './error.mjs';
import { partsOfLoad } from './parts-of-load.mjs';
import { runNode } from '../llama/run-node.mjs';
import { shapes } from '../models/shapes.mjs';
import { writeGguf } from '../models/write-gguf.mjs';

/** Number of loaders that run at the same time. Each loader waits for the log half of the time. */
const LOADERS = 2;

/** Returns a row for each load, and the cases that llama.cpp refused. */
export async function compareSmallShapes(folder) {
  const todo = Object.entries(shapes());
  const order = todo.map(([name]) => name);
  const found = new Map();
  const work = async () => {
    for (let next = todo.shift(); next !== undefined; next = todo.shift()) {
      const [name, shape] = next;
      const file = path.join(folder, `${name}.gguf`);
      writeGguf(file, shape);
      found.set(name, await compareShape(name, file));
      rmSync(file);
    }
  };
  await Promise.all(Array.from({ length: LOADERS }, work));
  return {
    rows: order.flatMap((name) => found.get(name).rows),
    refusals: order.flatMap((name) => found.get(name).refusals),
  };
}

async function compareShape(name, file) {
  const header = await readGgufHeader(file);
  const { loads, peers } = await runNode('load-with-llama.mjs', { file, cases: CASES });
  const [rows, refusals] = [[], []];
  for (const [index, truth] of loads.entries()) {
    const one = CASES[index];
    if (truth.refused === undefined) rows.push(row(name, one, header, truth, peers[index]));
    else refusals.push(`${name} ${JSON.stringify(one)}: ${truth.refused.split('\n').at(-1)}`);
  }
  return { rows, refusals };
}

function row(name, one, header, truth, peer) {
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
  const mib = (value) => value * 1024 * 1024;
  const cacheBytes = mib(truth.kvMib + truth.recurrentMib);
  return {
    name,
    architecture: header.architecture,
    quantisedCache: isQuantizedCacheType(one.kvK) || isQuantizedCacheType(one.kvV),
    one,
    errors: {
      repack: logError(ram.repackBytes, truth.repackMib),
      'KV cache': logError(ram.kvCacheBytes, truth.kvMib),
      'recurrent state': logError(ram.recurrentStateBytes, truth.recurrentMib),
      output: logError(ram.outputBytes, truth.outputMib),
      compute: logError(ram.computeBytes, truth.computeMib),
      context: error(context, truth.contextBytes),
    },
    parts: partsOfLoad({
      ram,
      peer,
      truth: {
        weightsBytes: mib(truth.mappedMib),
        repackBytes: mib(truth.repackMib),
        cacheBytes,
        buffersBytes: truth.contextBytes - cacheBytes + mib(truth.outputMib),
      },
    }),
  };
}
