import path from 'node:path';
import { build } from 'esbuild';

/** Large packages that only some calls need. Loading all of them doubles the start of a command. */
const LOADED_ON_USE = ['@mai/memory-estimator', '@mai/llama-runtime'];

it('imports no large package until a call needs it', async () => {
  const { metafile } = await build({
    entryPoints: [path.join(__dirname, 'index.ts')],
    outdir: path.join(__dirname, 'unwritten'),
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    packages: 'external',
    // Switches the workspace's path mapping off, so that each package stays an import.
    tsconfigRaw: {},
    metafile: true,
    write: false,
  });
  const outputs = new Map(
    Object.entries(metafile.outputs).map(([file, output]) => [path.basename(file), output]),
  );
  // The entry and the chunks that it imports statically.
  const reached = new Set(['index.js']);
  for (const file of reached) {
    for (const { path: imported, kind } of outputs.get(file)?.imports ?? []) {
      if (kind === 'import-statement') reached.add(path.basename(imported));
    }
  }
  const statically = [...reached].flatMap((file) => outputs.get(file)?.imports ?? []);
  const external = statically.filter(({ kind }) => kind === 'import-statement');

  expect(external.map((one) => one.path)).toContain('@mai/memory-ledger');
  for (const name of LOADED_ON_USE) expect(external.map((one) => one.path)).not.toContain(name);
});
