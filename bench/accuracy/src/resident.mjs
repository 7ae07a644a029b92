// Checks the interval of the estimate: compares it with the anonymous memory of a process (with llama.cpp and
// Node) that has loaded a model and decoded a prompt. Linux only. After `npm run setup`:
//   npm run resident
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { CPU_ENVIRONMENT, estimateFootprint, readGgufHeader } from '@mai/memory-estimator';
import { runNode } from './llama/run-node.mjs';
import { shapes } from './models/shapes.mjs';
import { writeGguf } from './models/write-gguf.mjs';

const MIB = 1024 ** 2;
const LOADS = [
  { context: 2048, batch: 512, flashAttention: true },
  { context: 16_384, batch: 512, flashAttention: true },
  { context: 8192, batch: 512, flashAttention: false },
];

const folder = mkdtempSync(path.join(tmpdir(), 'mai resident '));
let [inside, all] = [0, 0];
const refused = [];
console.log('MiB without the mapped weights            expected   from     to  taken');
try {
  for (const [name, shape] of Object.entries(shapes())) {
    const file = path.join(folder, `${name}.gguf`);
    writeGguf(file, shape);
    const header = await readGgufHeader(file);
    for (const load of LOADS) {
      try {
        report(name, load, header, await runNode('load-and-generate.mjs', { file, ...load }));
      } catch (error) {
        refused.push(`${name}: ${error.message.split('\n').at(-1)}`);
      }
    }
    rmSync(file);
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
console.log(`\n${inside} of ${all} loads lie within the 90 % interval.`);
if (refused.length > 0) console.log(`Not loaded: ${refused.length} (${refused[0]})`);

function report(name, { context, batch, flashAttention }, header, { anonymousBytes }) {
  const { ram, interval } = estimateFootprint(
    header,
    {
      contextLengthTokens: context,
      parallelSequences: 1,
      offloadRatio: null,
      kvCacheTypeK: null,
      kvCacheTypeV: null,
      flashAttention,
      cpuExpertRatio: null,
    },
    { ...CPU_ENVIRONMENT, batchTokens: batch, ubatchTokens: batch, kvUnified: false },
  );
  const [low, high] = [interval.lowBytes, interval.highBytes].map(
    (bytes) => bytes - ram.mappedBytes,
  );
  const isInside = anonymousBytes >= low && anonymousBytes <= high;
  all += 1;
  inside += isInside ? 1 : 0;
  const mib = (bytes) => (bytes / MIB).toFixed(0).padStart(7);
  console.log(
    `${`${name} ${context}${flashAttention ? '' : ' no flash attention'}`.padEnd(42)}${mib(ram.anonymousBytes)}${mib(low)}${mib(high)}${mib(anonymousBytes)}${isInside ? '' : '  outside'}`,
  );
}
