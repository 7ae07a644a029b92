import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { DEFAULT_LOAD_CONFIG } from '@mai/memory-ledger';
import { scanModelsFolder } from '@mai/lmstudio-adapter';
import { modelQuality } from './model-quality.js';

let folder: string;
beforeEach(async () => (folder = await mkdtemp(path.join(tmpdir(), 'mai-quality-'))));
afterEach(() => rm(folder, { recursive: true }));

/** The quality of a file whose header states a type; also as a store lists it, without a path. */
async function qualityOfFile(file: string, quantization: string, listed: { path?: null } = {}) {
  const repository = path.join(folder, 'unsloth', `${file}-GGUF`);
  await mkdir(repository, { recursive: true });
  await writeFile(path.join(repository, file), '');
  const { models } = await scanModelsFolder(folder);
  const found = models.find((one) => one.path?.endsWith(file)) ?? null;
  const model = found === null ? null : { ...found, ...listed };
  const profile = {
    modelKey: 'qwen/qwen3-8b',
    displayName: 'Qwen3 8B',
    capabilities: ['chat'] as const,
    quality: null,
  };
  const judged = { profile, model, shape: null, quantization, baseModels: [] };
  return modelQuality(judged, DEFAULT_LOAD_CONFIG, 'general')?.quality;
}

// mohitsoni48/TurboLLM #171: `UD-IQ2_M` has `Q4_K_S` in its header.
test('a file of two bits is not as good as one of four, whatever type its header states', async () => {
  const four = await qualityOfFile('Qwen3-8B-Q4_K_S.gguf', 'Q4_K_S');
  const two = await qualityOfFile('Qwen3-8B-UD-IQ2_M.gguf', 'Q4_K_S');
  expect(two).toBeLessThan((four ?? 0) * 0.9);
  expect(await qualityOfFile('Qwen3-8B-UD-IQ2_M.gguf', 'Q4_K_S', { path: null })).toBe(two);
  expect(await qualityOfFile('Qwen3-8B.gguf', 'Q4_K_S')).toBe(four);
});
