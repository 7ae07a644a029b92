import fc from 'fast-check';
import { parseWorld } from '../index.js';
import type { ConfigField } from '../wire/frames.js';
import { readLoadSettings } from './load-settings.js';
import { modelBytes, overflowingPool, place } from './memory.js';
import { PROFILES } from '../profile/profile.js';

const GIB = 2 ** 30;
const DEFAULTS = PROFILES.current.load;
const world = parseWorld({});
const model = (key: string) => {
  const found = world.models.find(({ modelKey }) => modelKey === key);
  if (!found) throw new Error(key);
  return found;
};
const bytesOf = (key: string, fields: readonly ConfigField[]) => {
  const file = model(key);
  return modelBytes(file, file.sizeBytes, readLoadSettings(fields, file, DEFAULTS));
};
const context = (tokens: number): ConfigField => ({ key: 'llm.load.contextLength', value: tokens });
const cache = (type: string): readonly ConfigField[] =>
  ['k', 'v'].map((side) => ({
    key: `llm.load.llama.${side}CacheQuantizationType`,
    value: { checked: true, value: type },
  }));

// Calculated by hand: layers x KV heads x head dimension x (2 + 2 bytes) x tokens.
test.each([
  ['qwen/qwen3-8b', 8192, 36 * 8 * 128 * 4 * 8192],
  ['qwen/qwen2.5-7b-instruct', 32_768, 28 * 4 * 128 * 4 * 32_768],
  // Twelve layers keep the whole context. The other twelve keep a window of 128 for each of four
  // sequences, and a batch.
  ['openai/gpt-oss-20b', 16_384, 12 * 8 * 64 * 4 * (16_384 + 128 * 4 + 512)],
])('the context of %s at %d tokens', (key, tokens, expected) => {
  expect(bytesOf(key, [context(tokens)]).context).toBe(expected);
});

test('a quantized cache takes 34 bytes for 32 values as q8_0, and 18 as q4_0', () => {
  const full = bytesOf('qwen/qwen3-8b', [context(8192)]).context;
  expect(bytesOf('qwen/qwen3-8b', [context(8192), ...cache('q8_0')]).context).toBe(
    (full * 34) / 64,
  );
  expect(bytesOf('qwen/qwen3-8b', [context(8192), ...cache('q4_0')]).context).toBe(
    (full * 18) / 64,
  );
});

test('the parts add up on every device, and mapped weights are never anonymous', () => {
  const file = model('openai/gpt-oss-20b');
  fc.assert(
    fc.property(
      fc.record({
        ratio: fc.double({ min: 0, max: 1, noNaN: true }),
        experts: fc.double({ min: 0, max: 1, noNaN: true }),
        progress: fc.double({ min: 0, max: 1, noNaN: true }),
        keep: fc.boolean(),
        kvOnGpu: fc.boolean(),
      }),
      ({ ratio, experts, progress, keep, kvOnGpu }) => {
        const fields = [
          { key: 'llm.load.llama.acceleration.offloadRatio', value: ratio },
          { key: 'llm.load.numCpuExpertLayersRatio', value: experts },
          { key: 'llm.load.llama.keepModelInMemory', value: keep },
          { key: 'llm.load.offloadKVCacheToGpu', value: kvOnGpu },
        ];
        const settings = readLoadSettings(fields, file, DEFAULTS);
        const bytes = modelBytes(file, file.sizeBytes, settings);
        const placement = place(world.machine, bytes, settings, 0.84, [11.5 * GIB]);
        const half = placement.useAt(progress);
        const full = placement.useAt(1);
        const total = (use: typeof full): number =>
          use.ram.mappedBytes + use.ram.anonymousBytes + (use.gpus[0]?.bytes ?? 0);
        const overhead = total(full) - bytes.weights - bytes.context - bytes.compute;
        // The difference is from rounding, and from the CUDA context on the GPU.
        expect(overhead).toBeGreaterThanOrEqual(-2);
        expect(overhead).toBeLessThanOrEqual(150 * 2 ** 20 + 2);
        expect(total(half)).toBeLessThanOrEqual(total(full));
        if (keep) expect(full.ram.mappedBytes).toBe(0);
        expect(placement.gpu.weights + placement.gpu.context).toBeLessThanOrEqual(
          (full.gpus[0]?.bytes ?? 0) + 1,
        );
      },
    ),
  );
});

test.each([
  ['without flash attention, the scores', false],
  ['with flash attention, no scores', true],
])('a KV cache that is not offloaded is in RAM; %s are in RAM, too', (_, flashAttention) => {
  const file = model('qwen/qwen3-8b');
  const fields = [
    context(8192),
    { key: 'llm.load.offloadKVCacheToGpu', value: false },
    { key: 'llm.load.llama.acceleration.offloadRatio', value: 1 },
    { key: 'llm.load.llama.flashAttention', value: flashAttention },
  ];
  const settings = readLoadSettings(fields, file, DEFAULTS);
  const bytes = modelBytes(file, file.sizeBytes, settings);
  const { gpu, ram } = place(world.machine, bytes, settings, 0, [64 * GIB]);
  expect([gpu.context, ram.context]).toEqual([0, bytes.context]);
  // 32 heads x a micro-batch of 512 x 8192 tokens x 4 bytes.
  const scores = flashAttention ? 0 : 32 * 512 * 8192 * 4;
  expect([gpu.compute, ram.compute]).toEqual([bytes.compute - scores, scores]);
});

test('without a ratio, the GPU gets as many layers as fit into its free memory', () => {
  const file = model('openai/gpt-oss-20b');
  const settings = readLoadSettings([], file, DEFAULTS);
  const bytes = modelBytes(file, file.sizeBytes, settings);
  const roomy = place(world.machine, bytes, settings, 0.84, [64 * GIB]);
  expect(roomy.offloadRatio).toBe(1);
  const tight = place(world.machine, bytes, settings, 0.84, [6 * GIB]);
  expect(tight.useAt(1).gpus[0]?.bytes).toBeCloseTo(6 * GIB, -1);
  expect(place(world.machine, bytes, settings, 0.84, [0]).offloadRatio).toBe(0);
});

test.each([
  [-1, null],
  [0, null],
  [1, 'ram'],
] as const)('a load that exceeds RAM by %d bytes: %s', (excess, expected) => {
  const free = world.machine.ramBytes - world.machine.othersRamBytes;
  const use = { ram: { mappedBytes: 99 * GIB, anonymousBytes: free + excess }, gpus: [] };
  expect(overflowingPool(world.machine, use)).toBe(expected);
});

test.each([
  [-1, null],
  [0, null],
  [1, 'vram'],
] as const)('a load that exceeds a GPU by %d bytes: %s', (excess, expected) => {
  const gpus = [{ deviceKey: 'survey:0', bytes: 11.5 * GIB + excess }];
  const use = { ram: { mappedBytes: 0, anonymousBytes: 0 }, gpus };
  expect(overflowingPool(world.machine, use)).toBe(expected);
});
