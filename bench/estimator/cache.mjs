// Compares a hit in the header cache with reading the header again, for 40 models with real vocabularies.
import { linkSync } from 'node:fs';
import path from 'node:path';
import { openHeaderCache, readGgufHeader } from '@mai/memory-estimator';
import { judge, printTable } from '../yardstick/report.mjs';
import { median } from '../yardstick/statistics.mjs';
import { timed } from '../yardstick/take-turns.mjs';
import { writeVocabularyModel } from './vocabulary-model.mjs';

const MODELS = 40;

/** Prints the time for one header: read from the model's file, from a newly opened cache, and from an open cache. */
export async function measureCache(folder, rounds) {
  const files = Array.from({ length: MODELS }, (_, index) =>
    path.join(folder, `model-${index}.gguf`),
  );
  writeVocabularyModel(files[0]);
  for (const file of files.slice(1)) linkSync(files[0], file);
  const cacheFile = path.join(folder, 'headers.json');
  const readAll = async (read) => {
    for (const file of files) await read(file);
  };
  const derive = (cache) =>
    readAll((file) => cache.derive(file, 'bench', (header) => header.tensorBytes));
  const filled = openHeaderCache({ file: cacheFile });
  await derive(filled);
  filled.save();

  const fromFile = 'header from its file';
  const cases = [
    { name: fromFile, run: () => readAll((file) => readGgufHeader(file)) },
    {
      name: 'header from a newly opened cache',
      atMost: 0.6,
      run: () => {
        const cache = openHeaderCache({ file: cacheFile });
        return readAll((file) => cache.read(file));
      },
    },
    {
      name: 'header that is in memory already',
      atMost: 0.015,
      run: () => readAll((file) => filled.read(file)),
    },
    {
      name: 'derived figure from a newly opened cache',
      atMost: 0.03,
      run: () => derive(openHeaderCache({ file: cacheFile })),
    },
  ].map((one) => ({ ...one, times: [], ratios: [] }));
  for (let round = 0; round <= rounds; round += 1) {
    let fromFileMs = 0;
    for (const { name, run, times, ratios } of cases) {
      const time = await timed(run);
      if (name === fromFile) fromFileMs = time;
      // The first round is not counted, because the code is still being compiled.
      if (round === 0) continue;
      times.push(time / MODELS);
      ratios.push(time / fromFileMs);
    }
  }

  console.log(`Header cache, ${MODELS} models, for one model:`);
  printTable(
    ['from', 'ms', 'ratio'],
    cases.map(({ name, times, ratios }) => [
      name,
      median(times).toFixed(3),
      median(ratios).toFixed(3),
    ]),
  );
  for (const { name, ratios, atMost } of cases) {
    if (atMost !== undefined) judge(`${name}, against its file`, median(ratios), atMost);
  }
}
