import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createLlamaRuntime, findEngine, writeNoiseModel } from '@mai/llama-runtime';
import { resolveEngineProfile } from '@mai/memory-estimator';

// The estimator and the runtime do not import each other, so each states the engine's defaults.

/** The runtime's programs are part of its built package. */
const BUILT = path.join(__dirname, '..', '..', '..', 'llama-runtime', 'dist');

let folder: string;
beforeAll(() => (folder = mkdtempSync(path.join(tmpdir(), 'mai-profile-'))));
afterAll(() => rmSync(folder, { recursive: true }));

test('the estimator takes the defaults with which the embedded engine loads', async () => {
  if ((await findEngine()) === null) throw new Error('The binding of llama.cpp is not installed.');
  await writeNoiseModel(path.join(folder, 'noise.gguf'), { layers: 2, width: 256 });
  await using runtime = await createLlamaRuntime({
    modelFolders: [folder],
    stateFolder: path.join(folder, 'state'),
    scripts: {
      engine: path.join(BUILT, 'engine-child.cjs'),
      inspect: path.join(BUILT, 'inspect-child.cjs'),
    },
  });
  await runtime.load({ modelKey: 'noise' });
  const [resident] = await runtime.listResidents();
  const { settings } = resolveEngineProfile({ engine: 'embedded' });
  const isOnCpu = (resident?.loadConfig.offloadRatio ?? 0) === 0;

  expect({
    contextLengthTokens: resident?.contextLengthTokens,
    parallelSequences: resident?.loadConfig.parallelSequences,
    kvCacheTypeK: resident?.loadConfig.kvCacheTypeK,
    kvCacheTypeV: resident?.loadConfig.kvCacheTypeV,
    kvUnified: resident?.settings.kvUnified,
    batchTokens: resident?.settings.batchTokens,
    ubatchTokens: resident?.settings.ubatchTokens,
    draftTokens: resident?.settings.draftTokens,
    locksWeights: resident?.keepModelInMemory,
  }).toEqual({
    contextLengthTokens: settings.contextLengthTokens.value,
    parallelSequences: settings.parallelSequences.value,
    kvCacheTypeK: settings.kvCacheTypeK.value,
    kvCacheTypeV: settings.kvCacheTypeV.value,
    kvUnified: settings.kvUnified.value,
    batchTokens: isOnCpu ? settings.cpuBatchTokens.value : settings.batchTokens.value,
    ubatchTokens: isOnCpu ? settings.cpuBatchTokens.value : settings.ubatchTokens.value,
    draftTokens: settings.draftTokens.value,
    locksWeights: settings.locksWeights.value,
  });
});
