import { startWithClient } from '../../test/connect-sdk.js';
import type { ProfileName } from '../index.js';
import { PROFILE_NAMES, PROFILES } from './profile.js';

const QUIET = { verbose: false } as const;

// Version, build, runtime, context, sequences, one cache, n_batch, flash attention, checkpoints.
test.each([
  ['lmstudio@0.3.23', '1.44.0', 4096, 1, false, 512, false, 0],
  ['lmstudio@0.3.31', '1.52.1', 4096, 1, false, 512, false, 0],
  ['lmstudio@0.4.1', '2.0.0', 8192, 4, true, 512, true, 0],
  ['lmstudio@0.4.12', '2.13.0', 8192, 4, true, 512, true, 0],
  ['lmstudio@0.4.16', '2.22.0', 8192, 4, true, 2048, true, 0],
  ['lmstudio@0.4.21', '2.28.2', 8192, 4, true, 2048, true, 32],
  ['lmstudio@0.4.24', '2.37.0', 8192, 4, true, 2048, true, 32],
] as const)(
  '%s loads with its own defaults',
  async (profile, runtime, contextLength, parallel, unified, batch, flash, checkpoints) => {
    await using connected = await startWithClient({ profile });
    const { client } = connected;
    expect(`lmstudio@${(await client.system.getLMStudioVersion()).version}`).toBe(profile);
    const selections = await client.runtime.engine.getSelections();
    expect(selections.get('GGUF')?.version).toBe(runtime);
    const model = await client.llm.load('qwen/qwen3-4b', QUIET);
    expect((await model.getModelInfo()).contextLength).toBe(contextLength);
    // The SDK leaves out the context where the engine fits the model by itself.
    expect(await model.getLoadConfig()).toMatchObject({
      maxParallelPredictions: parallel,
      useUnifiedKvCache: unified,
      evalBatchSize: batch,
      flashAttention: flash,
    });
    const { load } = PROFILES[profile];
    expect([load.contextCheckpoints, load.physicalBatchTokens]).toEqual([checkpoints, 512]);
  },
);

test('a world overrides the defaults of the profile', async () => {
  await using connected = await startWithClient({
    world: { defaultContextLength: 6000, loadDefaults: { flashAttention: false } },
  });
  const model = await connected.client.llm.load('qwen/qwen3-4b', QUIET);
  expect((await model.getModelInfo()).contextLength).toBe(6000);
  expect(await model.getLoadConfig()).toMatchObject({ autoFit: true, flashAttention: false });
});

test('an expert setting is reported only for mixture-of-experts models', async () => {
  await using connected = await startWithClient();
  const { client } = connected;
  const dense = await client.llm.load('qwen/qwen3-1.7b', QUIET);
  expect((await dense.getLoadConfig()).gpu).not.toHaveProperty('numCpuExpertLayersRatio');
  const experts = await client.llm.load('openai/gpt-oss-20b', {
    ...QUIET,
    config: { gpu: { numCpuExpertLayersRatio: 0.5 } },
  });
  expect(await experts.getLoadConfig()).toMatchObject({ gpu: { numCpuExpertLayersRatio: 0.5 } });
});

// Bytes that a load of one model takes on the GPU.
async function gpuBytes(
  profile: ProfileName,
  modelKey: string,
  namespace: 'llm' | 'embedding' = 'llm',
): Promise<number> {
  const machine = { gpus: [{ name: 'large', totalBytes: 96 * 2 ** 30 }] };
  await using connected = await startWithClient({
    profile,
    world: { machine, guardrails: { mode: 'off' }, defaultContextLength: 2048 },
  });
  await connected.client[namespace].load(modelKey, QUIET);
  return connected.simulator.memoryInUse().gpus[0]?.bytes ?? 0;
}

test('a load takes more memory with full-size windows, without flash attention, and with logits for the whole batch', async () => {
  const sizes = await Promise.all(
    (['lmstudio@0.3.23', 'lmstudio@0.3.31', 'lmstudio@0.4.24'] as const).map((profile) =>
      gpuBytes(profile, 'openai/gpt-oss-20b'),
    ),
  );
  // Twelve windowed layers of 8 x 64 x (2 + 2) bytes keep 2048 tokens instead of 128 + 512.
  expect((sizes[0] ?? 0) - (sizes[1] ?? 0)).toBe(12 * 8 * 64 * 4 * (2048 - 128 - 512));
  // Without flash attention: 45 heads x 512 x 2048 scores. Logits: 512 rows instead of 4. The cache of
  // four sequences has three windows more.
  expect((sizes[1] ?? 0) - (sizes[2] ?? 0)).toBe(
    4 * 45 * 512 * 2048 + 4 * (512 - 4) * 201_088 - 12 * 8 * 64 * 4 * 128 * 3,
  );
});

test('in profiles of summer 2026, an embedding model gets a batch as long as its context', async () => {
  const key = 'text-embedding-nomic-embed-text-v1.5';
  const [before, during, after] = await Promise.all(
    (['lmstudio@0.4.16', 'lmstudio@0.4.21', 'lmstudio@0.4.24'] as const).map((profile) =>
      gpuBytes(profile, key, 'embedding'),
    ),
  );
  // Each of 1536 more tokens takes 30,528 logits and eight activations of 768. The scores of 12 heads come on top.
  expect((during ?? 0) - (before ?? 0)).toBe(4 * (2048 - 512) * (30_528 + 8 * 768 + 12 * 2048));
  // Afterwards the batch is 512 again, with logits for one sequence only.
  expect((before ?? 0) - (after ?? 0)).toBe(4 * (512 - 1) * 30_528);
});

test('each profile has a name', () => {
  expect(PROFILE_NAMES).toContain('lmstudio@0.4.12');
  expect(PROFILES.current.version).toBe('0.4.21');
  expect(PROFILES.old.version).toBe('0.3.9');
});
