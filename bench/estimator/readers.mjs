// Readers of a header with a vocabulary of 150,000 tokens, each in a process of its own.
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { median, printTable } from './table.mjs';
import { TOKENS, writeVocabularyModel } from './vocabulary-model.mjs';

const READ_HEADER = fileURLToPath(new URL('../accuracy/src/read-header.mjs', import.meta.url));
const [TARGET_MS, TARGET_BYTES, TARGET_RATIO] = [5, 20 * 1024 * 1024, 10];
const OURS = 'mai';
/** Readings in each process: enough for the compiler to be done with what is fast. */
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

/** Prints times and memory of every reader that is installed, as ratios to ours. */
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
    ['reader', 'first ms', 'again ms', 'ratio', 'first MiB'],
    found.map(({ name, firstMs, againMs, extraBytes }) => [
      name,
      firstMs.toFixed(1),
      againMs.toFixed(2),
      (againMs / ours.againMs).toFixed(1),
      (extraBytes / 1024 / 1024).toFixed(1),
    ]),
  );
  for (const { name } of cases.filter(({ runs }) => runs[0] === null))
    console.log(`${name}: not installed; run npm run setup in bench/accuracy.`);
  verdict(`again under ${TARGET_MS} ms`, ours.againMs < TARGET_MS);
  verdict(`first under ${TARGET_BYTES / 1024 / 1024} MiB`, ours.extraBytes < TARGET_BYTES);
  for (const { name, reader, againMs, firstMs } of found) {
    if (reader.startsWith(OURS)) continue;
    const ratio = Math.min(againMs / ours.againMs, firstMs / ours.firstMs);
    verdict(
      `at least ${TARGET_RATIO} times as fast as ${name}, first and again`,
      ratio >= TARGET_RATIO,
    );
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
  return {
    name,
    reader,
    firstMs: median(runs.map((run) => run.firstMs)),
    againMs: median(runs.map((run) => median(run.laterMs))),
    extraBytes: median(runs.map((run) => run.extraBytes)),
  };
}

function verdict(target, isMet) {
  console.log(`${isMet ? 'met   ' : 'MISSED'} ${target}`);
}
