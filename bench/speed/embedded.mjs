// Predicted and measured speeds on the embedded engine with models of random weights of three sizes: generated tokens per second,
// prompts and load times, side by side. The first table is cold: nothing was measured on this machine before. The second one has
// learned from the traffic of the first.
//
// Run with: npm run bench:speed-embedded [-- MEBIBYTES...] (build the workspace first). Other work on the machine counts as its
// speed.
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { benchCells, benchNotes, openHost } from '@mai/host';
import { noiseModelShape, writeNoiseModel } from '@mai/llama-runtime';

const MIB = 2 ** 20;
const asked = process.argv.slice(2).map(Number);
const SIZES = asked.length > 0 ? asked : [48, 160, 480];
const CONTEXT_TOKENS = 4096;
const COLUMNS = ['modelKey', 'what', 'predicted', 'measured', 'error', 'now'];
const HEADERS = ['model', 'figure', 'predicted (90 %)', 'measured', 'error', 'predicted now'];

const folder = mkdtempSync(path.join(tmpdir(), 'mai-speed-'));
const models = path.join(folder, 'models');
mkdirSync(models);
try {
  const keys = [];
  for (const [index, size] of SIZES.entries()) {
    const name = `noise-${size}m`;
    keys.push(name);
    const shape = { name, seed: index + 1, ...noiseModelShape(size * MIB) };
    await writeNoiseModel(path.join(models, `${name}.gguf`), shape);
  }
  const host = await openHost({
    runtime: 'embedded',
    modelFolders: [models],
    config: {
      version: 1,
      models: keys.map((key) => ({ key, context_window: CONTEXT_TOKENS, capabilities: ['chat'] })),
      fallback_chains: { default: [...keys].reverse() },
      switching: { min_headroom: '0MiB', dwell: '1s', cool_down: '1s' },
    },
    dataFolder: path.join(folder, 'data'),
    cacheFolder: path.join(folder, 'cache'),
    configFolder: folder,
    userHome: folder,
    cwd: folder,
    env: {},
  });
  try {
    for (const title of ['Cold', 'After the traffic of the first table']) {
      const results = await host.bench({ modelKeys: keys });
      print(title, results);
    }
  } finally {
    await host[Symbol.asyncDispose]();
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}

function print(title, results) {
  const rows = benchCells(results).map((cells) => COLUMNS.map((column) => cells[column]));
  const widths = HEADERS.map((header, i) =>
    Math.max(header.length, ...rows.map((row) => row[i].length)),
  );
  const line = (cells) =>
    cells
      .map((cell, i) => cell.padEnd(widths[i]))
      .join('  ')
      .trimEnd();
  const known = results.flatMap(({ decode, prompt, load }) => [decode, prompt, load]);
  const errors = known
    .filter((one) => one?.before != null)
    .map(({ measured, before }) => Math.abs(before.expected / measured - 1))
    .sort((a, b) => a - b);
  const held = known.filter(
    (one) =>
      one?.before != null && one.measured >= one.before.low && one.measured <= one.before.high,
  );
  console.log(`\n${title}\n${line(HEADERS)}`);
  for (const row of rows) console.log(line(row));
  const median = Math.round((errors[Math.floor(errors.length / 2)] ?? 0) * 100);
  console.log(`median error ${median} %, ${held.length} of ${errors.length} inside the interval`);
  for (const note of benchNotes(results)) console.log(note);
}
