// Compares the table of architectures.mjs with the headers of published model files, line by line. Build @mai/memory-estimator first:
//   node bench/speed/check-architectures.mjs
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { modelShape, readGgufHeader } from '@mai/memory-estimator';
import { architectureOf } from './results/architectures.mjs';

const FOLDERS = [
  '../data/lmstudio-loads/headers',
  '../../packages/memory-estimator/test/corpus/headers',
];
/** Headers of models that were made smaller for a test. */
const REDUCED = /-[LE]\d+-|^bighdr|^tiny-|legacy/;
/** Layers with a short window are averaged in the table and counted exactly in a header. */
const TOLERANCE = 0.03;

let differences = 0;
const folder = mkdtempSync(path.join(tmpdir(), 'mai-headers-'));
for (const source of FOLDERS) {
  const from = fileURLToPath(new URL(source, import.meta.url));
  for (const file of readdirSync(from)) {
    if (REDUCED.test(file)) continue;
    const bytes = readFileSync(path.join(from, file));
    writeFileSync(
      path.join(folder, file.replace(/\.gz$/, '')),
      file.endsWith('.gz') ? gunzipSync(bytes) : bytes,
    );
  }
}
for (const name of readdirSync(folder).sort()) {
  const header = await readGgufHeader(path.join(folder, name));
  const shape = modelShape(header);
  if (shape === null) continue;
  const { parameters, activeParameters, layers } = shape;
  const ours = architectureOf(
    `${name} ${header.metadata.get('general.name') ?? ''}`,
    parameters,
    activeParameters,
    layers,
  );
  const compared = [
    ['KV bytes of a layer', ours.kvBytesOfLayer, shape.kvBytesPerToken / layers],
    [
      'query values of a layer',
      ours.queryValuesOfLayer,
      (shape.queryValuesPerToken ?? NaN) / layers,
    ],
  ];
  if (shape.expertBytes > 0)
    compared.push(['used experts', ours.usedExperts, shape.activeExpertBytes / shape.expertBytes]);
  for (const [what, table, file] of compared) {
    const differs = !(Math.abs(table / file - 1) <= TOLERANCE);
    if (differs) differences += 1;
    console.log(`${differs ? 'DIFFERS' : 'same   '} ${name}: ${what}: ${table} (file: ${file})`);
  }
}
rmSync(folder, { recursive: true });
console.log(`${differences} differences`);
