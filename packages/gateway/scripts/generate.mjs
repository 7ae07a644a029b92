// Writes openapi.json from the schemas of src/control. Run it after a change of a schema:
// `npm run generate -w @mai/gateway`. A test compares the file with the schemas.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import * as prettier from 'prettier';

const project = path.join(path.dirname(fileURLToPath(import.meta.url)), '..');
// The folder lies inside the package, so that the bundle finds its dependencies.
const scratch = mkdtempSync(path.join(project, '.generate-'));
try {
  const outfile = path.join(scratch, 'document.mjs');
  await build({
    entryPoints: [path.join(project, 'src', 'control', 'openapi', 'document.ts')],
    outfile,
    bundle: true,
    format: 'esm',
    platform: 'node',
    external: ['zod'],
    tsconfig: path.join(project, '..', '..', 'tsconfig.base.json'),
  });
  const { openApiDocument } = await import(pathToFileURL(outfile).href);
  const file = path.join(project, 'openapi.json');
  const options = await prettier.resolveConfig(file);
  const text = JSON.stringify(openApiDocument());
  writeFileSync(file, await prettier.format(text, { ...options, filepath: file }));
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
