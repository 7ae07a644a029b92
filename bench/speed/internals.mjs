// The physics of @mai/performance-model from its sources, with parameters that a fit may change.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';

const SOURCE = fileURLToPath(new URL('../../packages/performance-model/src', import.meta.url));

const folder = mkdtempSync(path.join(tmpdir(), 'mai-speed-'));
const outfile = path.join(folder, 'internals.mjs');
await build({
  stdin: {
    contents: `
      export { decodeParts } from './physics/decode-parts.js';
      export { promptParts } from './physics/prompt-parts.js';
      export { covarianceOf } from './learning/likeness.js';
      export { createSpeedModelWith } from './predict/create-speed-model.js';
      export { traitsOf } from './predict/traits-of.js';
    `,
    resolveDir: SOURCE,
    loader: 'ts',
  },
  bundle: true,
  format: 'esm',
  platform: 'node',
  outfile,
});
export const internals = await import(pathToFileURL(outfile).href);
rmSync(folder, { recursive: true });
