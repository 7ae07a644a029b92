import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createLlamaRuntime, type LlamaRuntime, type LlamaRuntimeOptions } from '../src/index.js';
import type { EngineScripts } from '../src/process/find-scripts.js';

/** What a fake engine does when it loads the model, or later. */
export interface Faults {
  readonly stallAt?: number;
  /** Its main thread computes for ever, as in a load of llama.cpp that does not end. */
  readonly blocks?: boolean;
  readonly refuse?: string;
  readonly crash?: string;
  readonly signal?: NodeJS.Signals;
  readonly exit?: number;
  readonly hangOnStop?: boolean;
  readonly silentState?: boolean;
  /** One request is open and makes no progress. `works`: the process computes meanwhile. */
  readonly stalls?: boolean;
  readonly works?: boolean;
  readonly promptTokens?: number;
  readonly contextLengthTokens?: number;
}

const SCRIPTS: EngineScripts = {
  engine: path.join(__dirname, 'fake-engine.mjs'),
  inspect: path.join(__dirname, 'fake-inspect.mjs'),
};

const METADATA = {
  'general.architecture': 'llama',
  'general.file_type': '7',
  'llama.context_length': '8192',
  'llama.block_count': '4',
};

/** A folder of models for the fake engine, and a state folder. */
export interface FakeWorld extends AsyncDisposable {
  readonly models: string;
  readonly state: string;
  /** Writes a model file. `metadata: null`: llama.cpp cannot read it. */
  write(
    name: string,
    faults?: Faults,
    metadata?: Readonly<Record<string, string>> | null,
  ): Promise<void>;
  /** Writes any file. */
  writeRaw(name: string, content: object): Promise<void>;
  open(options?: LlamaRuntimeOptions): Promise<LlamaRuntime>;
}

/** Creates the folders. */
export async function fakeWorld(): Promise<FakeWorld> {
  const root = await mkdtemp(path.join(tmpdir(), 'mai-fake-'));
  const models = path.join(root, 'models');
  const state = path.join(root, 'state');
  const writeRaw = async (name: string, content: object): Promise<void> => {
    const file = path.join(models, name);
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, JSON.stringify(content));
  };
  await mkdir(models);
  return {
    models,
    state,
    writeRaw,
    write: (name, faults = {}, metadata = METADATA) => writeRaw(name, { faults, metadata }),
    open: (options = {}) =>
      createLlamaRuntime({
        modelFolders: [models],
        stateFolder: state,
        scripts: SCRIPTS,
        ...options,
      }),
    [Symbol.asyncDispose]: () => rm(root, { recursive: true, force: true }),
  };
}

/** The error that a promise rejects with. */
export async function caught(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error('the promise did not reject');
}

/** The numbers of the processes whose program is the fake engine. */
export async function pidsOf(runtime: LlamaRuntime): Promise<readonly number[]> {
  await using watch = await runtime.watchEngines();
  return watch.reports().map(({ pid }) => pid);
}
