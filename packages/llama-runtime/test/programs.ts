import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import path from 'node:path';
import { build } from 'esbuild';
import type { EngineScripts } from '../src/process/find-scripts.js';

/** This package, built from source. */
export interface BuiltPrograms extends AsyncDisposable {
  /** The package's bundle, an ES module. */
  readonly index: string;
  readonly scripts: EngineScripts;
}

/** Builds the programs into a folder from which the binding can be resolved. */
export async function buildPrograms(): Promise<BuiltPrograms> {
  const root = path.join(__dirname, '..');
  const cache = path.join(root, '..', '..', 'node_modules', '.cache');
  await mkdir(cache, { recursive: true });
  const folder = await mkdtemp(path.join(cache, 'llama-runtime-'));
  await build({
    absWorkingDir: root,
    entryPoints: {
      index: 'src/index.ts',
      'engine-child': 'src/programs/engine-child.ts',
      'inspect-child': 'src/programs/inspect-child.ts',
    },
    outdir: folder,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    logLevel: 'silent',
  });
  return {
    index: path.join(folder, 'index.mjs'),
    scripts: {
      engine: path.join(folder, 'engine-child.mjs'),
      inspect: path.join(folder, 'inspect-child.mjs'),
    },
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true }),
  };
}
