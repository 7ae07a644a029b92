import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import {
  createLlamaRuntime,
  type LlamaRuntime,
  type LlamaRuntimeOptions,
  writeNoiseModel,
} from '../src/index.js';
import { type BuiltPrograms, buildPrograms } from './programs.js';

/** Models of random weights for the real engine, and a state folder. */
export interface RealWorld extends AsyncDisposable {
  readonly models: string;
  readonly state: string;
  readonly programs: Pick<BuiltPrograms, 'index' | 'scripts'>;
  open(options?: LlamaRuntimeOptions): Promise<LlamaRuntime>;
}

/** Builds the programs, and writes `noise` (an LLM) and `noise-embedding`. */
export async function realWorld(): Promise<RealWorld> {
  const programs = await buildPrograms();
  const root = await mkdtemp(path.join(tmpdir(), 'mai-real-'));
  const models = await mkdtemp(path.join(root, 'models-'));
  const state = path.join(root, 'state');
  const shape = { layers: 2, width: 256 };
  await writeNoiseModel(path.join(models, 'noise.gguf'), shape);
  await writeNoiseModel(path.join(models, 'noise-embedding.gguf'), { ...shape, kind: 'embedding' });
  return {
    models,
    state,
    programs,
    open: (options = {}) =>
      createLlamaRuntime({
        modelFolders: [models],
        stateFolder: state,
        scripts: programs.scripts,
        ...options,
      }),
    [Symbol.asyncDispose]: async () => {
      await rm(root, { recursive: true });
      await programs[Symbol.asyncDispose]();
    },
  };
}
