// What a hit in the header cache costs, beside reading the header: 40 models with real vocabularies.
import { linkSync } from 'node:fs';
import path from 'node:path';
import { openHeaderCache, readGgufHeader } from '@mai/memory-estimator';
import { median, printTable, timed } from './table.mjs';
import { writeVocabularyModel } from './vocabulary-model.mjs';

const MODELS = 40;

/** Prints the cost of one model: read from its file, from the cache just opened, and from the open one. */
export async function measureCache(folder, rounds) {
  const files = Array.from({ length: MODELS }, (_, i) => path.join(folder, `model-${i}.gguf`));
  writeVocabularyModel(files[0]);
  for (const file of files.slice(1)) linkSync(files[0], file);
  const cacheFile = path.join(folder, 'headers.json');
  const derive = async (cache) => {
    for (const file of files) await cache.derive(file, 'bench', (header) => header.tensorBytes);
  };
  const filled = openHeaderCache({ file: cacheFile });
  await derive(filled);
  filled.save();

  const cases = [
    { name: 'header from its file', run: () => readAll((file) => readGgufHeader(file)) },
    {
      name: 'header from the cache, opening it included',
      run: () => {
        const cache = openHeaderCache({ file: cacheFile });
        return readAll((file) => cache.read(file));
      },
    },
    { name: 'header that is in memory already', run: () => readAll((file) => filled.read(file)) },
    {
      name: 'derived figure from the cache, opening it included',
      run: () => derive(openHeaderCache({ file: cacheFile })),
    },
  ].map((one) => ({ ...one, times: [] }));
  const readAll = async (read) => {
    for (const file of files) await read(file);
  };
  for (let round = 0; round <= rounds; round += 1) {
    for (const { run, times } of cases) {
      const time = await timed(run);
      if (round > 0) times.push(time / MODELS);
    }
  }

  const [fromFile] = cases.map(({ times }) => median(times));
  console.log(`Header cache, ${MODELS} models, for one model:`);
  printTable(
    ['from', 'ms', 'ratio'],
    cases.map(({ name, times }) => [
      name,
      median(times).toFixed(3),
      (median(times) / fromFile).toFixed(3),
    ]),
  );
}
