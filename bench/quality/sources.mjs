// The published results, and the functions of packages/model-config/src/quality, bundled from their source.
// So neither the fit nor the checks need a build, and no formula is written twice.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';

const workspace = path.join(path.dirname(fileURLToPath(import.meta.url)), '..', '..');
const data = path.join(workspace, 'bench', 'data', 'quality');
const project = path.join(workspace, 'packages', 'model-config');

/** The published results of all models. */
export function readResults() {
  return readLines('quality.jsonl');
}

/** The architectures, each with the month of its first models and the published models that have it. */
export function readArchitectures() {
  return readLines('architectures.jsonl');
}

function readLines(file) {
  const text = readFileSync(path.join(data, file), 'utf8');
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));
}

/** The published divergences and losses of quantizations. */
export function readQuantizations() {
  return JSON.parse(readFileSync(path.join(data, 'quantization.json'), 'utf8'));
}

/** The exports of the named TypeScript files of packages/model-config/src. */
export async function loadSources(...files) {
  const folder = mkdtempSync(path.join(workspace, 'node_modules', '.quality-'));
  try {
    const outfile = path.join(folder, 'sources.mjs');
    await build({
      stdin: {
        contents: files.map((file) => `export * from './src/${file}';`).join('\n'),
        resolveDir: project,
      },
      outfile,
      bundle: true,
      format: 'esm',
      platform: 'node',
      logLevel: 'error',
    });
    return await import(pathToFileURL(outfile).href);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
