import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createLlamaRuntime, type LlamaRuntime, type LlamaRuntimeOptions, writeNoiseModel } from '../src/index.js';
import type { EngineScripts } from '../src/process/find-scripts.js';
import { buildPrograms } from './programs.js';

/** Models of random weights for the real engine, and a state folder. */
export interface RealWorld extends AsyncDisposable {
  readonly models: string;
  readonly state: string;
  readonly scripts: EngineScripts;
  open(options?: LlamaRuntimeOptions): Promise<LlamaRuntime>;
}

/** Builds the programs, and writes `noise` (an LLM) and `noise-embedding`. */
export async function realWorld(): Promise<RealWorld> {
  const programs = await buildPrograms();
  const root = await mkdtemp(path.join(tmpdir(), 'mai-real-'));
  const models = await mkdtemp(path.join(root, 'models-'));
  const state = path.join(root, 'state');
  const file = path.join(models, 'noise.gguf');
  await writeNoiseModel(file, { layers: 2, width: 256 });
  await writeFile(path.join(models, 'noise-embedding.gguf'), withPooling(await readFile(file)));
  return {
    models,
    state,
    scripts: programs.scripts,
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

/** The offset of the first metadata value: behind magic, version and the two counts. */
const FIRST_VALUE = 24;
const COUNT_OF_VALUES = 16;

/** Adds mean pooling to the metadata of a language model. 64 more bytes leave the tensors aligned. */
function withPooling(file: Buffer): Buffer {
  const text = (value: string): Buffer => Buffer.concat([uint64(value.length), Buffer.from(value)]);
  const pooling = Buffer.concat([text('llama.pooling_type'), uint32(4), uint32(1)]);
  const padding = Buffer.concat([text('a.pad'), uint32(8), text('12345')]);
  const count = file.readBigUInt64LE(COUNT_OF_VALUES) + 2n;
  return Buffer.concat([
    file.subarray(0, COUNT_OF_VALUES),
    uint64(Number(count)),
    pooling,
    padding,
    file.subarray(FIRST_VALUE),
  ]);
}

function uint32(value: number): Buffer {
  const buffer = Buffer.alloc(4);
  buffer.writeUInt32LE(value);
  return buffer;
}

function uint64(value: number): Buffer {
  const buffer = Buffer.alloc(8);
  buffer.writeBigUInt64LE(BigInt(value));
  return buffer;
}
