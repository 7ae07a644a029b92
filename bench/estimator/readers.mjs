// Compares readers of a header with a vocabulary of 150,000 tokens, each in a process of its own, in turns.
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { judge, printTable } from '../yardstick/report.mjs';
import { median } from '../yardstick/statistics.mjs';
import { TOKENS, writeVocabularyModel } from './vocabulary-model.mjs';

const READ_HEADER = fileURLToPath(new URL('../accuracy/src/read-header.mjs', import.meta.url));
const MIB = 1024 * 1024;
/** The targets: in units of fixed work, in MiB, and relative to the time of our reader. */
const [TARGET_AGAIN, TARGET_MIB, TARGET_OTHERS] = [2.5, 20, 0.1];
const OURS = 'mai';
/** Fast readers read the header more often, so that their code is fully compiled. */
const CASES = [
  { name: 'Mai', reader: OURS, readings: 40 },
  { name: 'Mai, vocabulary kept', reader: 'mai-with-vocabulary', readings: 6 },
  { name: 'node-llama-cpp', reader: 'node-llama-cpp', readings: 6 },
  {
    name: 'node-llama-cpp, vocabulary ignored',
    reader: 'node-llama-cpp-without-vocabulary',
    readings: 6,
  },
  { name: '@huggingface/gguf', reader: 'huggingface', readings: 6 },
];

/** Prints times and memory of every installed reader. */
export function measureReaders(folder, rounds) {
  const file = path.join(folder, 'vocabulary.gguf');
  writeVocabularyModel(file);
  const cases = CASES.map((one) => ({ ...one, runs: [] }));
  for (let round = 0; round < rounds; round += 1)
    for (const one of cases) one.runs.push(read(one, file));

  const found = cases.filter(({ runs }) => runs[0] !== null).map(summary);
  const ours = found.find(({ reader }) => reader === OURS);
  console.log(
    `Header with ${TOKENS.toLocaleString('en')} tokens and as many merges, in the page cache:`,
  );
  printTable(
    ['reader', 'first ms', 'again ms', 'again / fixed work', 'again / ours', 'first MiB'],
    found.map(({ name, firstMs, againMs, againRatio, extraBytes }) => [
      name,
      firstMs.toFixed(1),
      againMs.toFixed(2),
      againRatio.toFixed(2),
      (againMs / ours.againMs).toFixed(1),
      (extraBytes / MIB).toFixed(1),
    ]),
  );
  for (const { name } of cases.filter(({ runs }) => runs[0] === null))
    console.log(`${name}: not installed. Run npm run setup in bench/accuracy.`);
  judge('reading the header again, in units of fixed work', ours.againRatio, TARGET_AGAIN);
  judge('MiB that the first reading takes', ours.extraBytes / MIB, TARGET_MIB);
  for (const { name, reader, againMs, firstMs } of found) {
    if (reader.startsWith(OURS)) continue;
    const share = Math.max(ours.againMs / againMs, ours.firstMs / firstMs);
    judge(`our time relative to ${name}, first and repeated reading`, share, TARGET_OTHERS);
  }
  console.log('');
}

function read({ reader, readings }, file) {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [READ_HEADER, reader, file, String(readings)],
    { encoding: 'utf8' },
  );
  if (status !== 0) throw new Error(`${reader} ended with ${status}: ${stderr}`);
  return JSON.parse(stdout);
}

function summary({ name, reader, runs }) {
  const later = runs.flatMap((run) => run.later);
  return {
    name,
    reader,
    firstMs: median(runs.map((run) => run.firstMs)),
    againMs: median(later.map(({ ms }) => ms)),
    againRatio: median(later.map(({ ratio }) => ratio)),
    extraBytes: median(runs.map((run) => run.extraBytes)),
  };
}
