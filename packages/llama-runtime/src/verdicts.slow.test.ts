import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { bytesOf } from '../../memory-estimator/test/language-model.js';
import {
  changedFiles,
  filesLikeLlama,
  filesWithLists,
  filesWithoutKeys,
  filesWithoutTensors,
  mixedFiles,
  type JudgedFile,
} from '../../memory-estimator/test/refused-files.js';
import { type RealWorld, realWorld } from '../test/real-world.js';
import { isLlamaRuntimeError, type LlamaRuntime } from './index.js';

const REFUSED: ReadonlySet<string> = new Set(['LOAD_FAILED', 'ENGINE_CRASHED']);

let world: RealWorld;
beforeAll(async () => {
  world = await realWorld();
});
afterAll(() => world[Symbol.asyncDispose]());

/** Whether the engine loads the file `judged.gguf`. */
async function isLoaded(runtime: LlamaRuntime): Promise<boolean> {
  try {
    await runtime.load({ modelKey: 'judged', kind: 'llm' });
  } catch (error) {
    // llama.cpp ends its process for some faults, and reports others.
    if (isLlamaRuntimeError(error) && REFUSED.has(error.code)) return false;
    throw error;
  }
  await runtime.unload('judged');
  return true;
}

/** The names of the files about which the engine decides otherwise than they state. */
async function disagreements(files: readonly JudgedFile[]): Promise<readonly string[]> {
  const wrong: string[] = [];
  await using runtime = await world.open({ engine: 'cpu' });
  for (const { name, file, loads } of files) {
    await writeFile(path.join(world.models, 'judged.gguf'), bytesOf(file));
    if ((await isLoaded(runtime)) !== loads) wrong.push(name);
  }
  return wrong;
}

// @mai/memory-estimator judges the same files by their headers (refused-files.test.ts).
test.each([
  ['models without a key', filesWithoutKeys()],
  // A load takes half a second, so only every fourth of these files is loaded.
  ['models without a tensor', filesWithoutTensors().filter((_, index) => index % 4 === 0)],
  ['models with a change', changedFiles()],
  ['models with a list', filesWithLists()],
  ['models like llama', filesLikeLlama()],
  [
    'models whose layers differ',
    mixedFiles().filter(({ name }, index) => name.endsWith(' whole') || index % 6 === 0),
  ],
])(
  'the engine loads and refuses %s as the estimator judges them',
  async (_, files) => {
    expect(await disagreements(files)).toEqual([]);
  },
  600_000,
);
