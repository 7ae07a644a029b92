import { DEFAULT_LOAD_CONFIG } from '@mai/memory-ledger';
import { emptyFile, headerOf, type MetadataValue } from '../../test/language-model.js';
import { CPU_ENVIRONMENT } from '../load/environment.js';
import { estimateFootprint } from '../estimate/estimate-footprint.js';

const MIB = 2 ** 20;

/** Metadata of Qwen3.8-Flash-Next (qwen4exp), under a name that no release of Mai will know. */
const FLASH_NEXT: Readonly<Record<string, MetadataValue>> = {
  block_count: 48,
  context_length: 262_144,
  embedding_length: 2560,
  'attention.head_count': 24,
  'attention.head_count_kv': 2,
  'attention.key_length': 256,
  'attention.value_length': 256,
  'attention.indexer.head_count': 4,
  'attention.indexer.key_length': 128,
  'attention.indexer.top_k': 2048,
  'ssm.conv_kernel': 4,
  'ssm.state_size': 128,
  'ssm.group_count': 16,
  'ssm.time_step_rank': 48,
  'ssm.inner_size': 6144,
  full_attention_interval: 4,
};

async function estimateOf(
  metadata: Readonly<Record<string, MetadataValue>>,
  contextLength: number,
) {
  const file = emptyFile('not-known-yet');
  for (const [key, value] of Object.entries(metadata))
    file.metadata.set(`not-known-yet.${key}`, value);
  const load = { contextLengthTokens: contextLength, parallelSequences: 1, flashAttention: true };
  return estimateFootprint(
    await headerOf(file),
    { ...DEFAULT_LOAD_CONFIG, ...load },
    CPU_ENVIRONMENT,
  );
}

describe('a model of an unknown architecture', () => {
  // The log in ggml-org/llama.cpp #28296: 12 layers with 4096 cells, 12 MiB of keys and 24 MiB of unused values for the indexer.
  // Attention has 2 heads of 256 keys and 256 values, so 96 MiB in the same layers. Since pull request 28330, the indexer has no
  // values. The state is 124.88 MiB in a log of the first builds, with the rows of the n-gram embedding, which Mai does not know.
  it('has caches only in the layers that its metadata does not state to be recurrent', async () => {
    const { parts, partIntervals, exactParts, confidence } = await estimateOf(FLASH_NEXT, 4096);
    expect(parts.ram.kvCacheBytes).toBe((96 + 12 + 24) * MIB);
    expect(partIntervals.kvCacheBytes.lowBytes).toBeLessThan((96 + 12) * MIB);
    const { lowBytes, highBytes } = partIntervals.recurrentStateBytes;
    expect([lowBytes < 112.2 * MIB, highBytes > 124.88 * MIB]).toEqual([true, true]);
    expect([exactParts.includes('kvCache'), confidence]).toEqual([false, 'low']);
  });

  it('is told from plain attention in the notes', async () => {
    const { notes } = await estimateOf(FLASH_NEXT, 4096);
    expect(notes[0]).toBe(
      'The architecture not-known-yet is unknown, so its cache is counted as plain attention in the layers that are not recurrent by its metadata.',
    );
  });

  const layers = (value: readonly number[]) => ({ type: 'i32s', value }) as const;
  it.each([
    ['a list of recurrent layers', { 'attention.recurrent_layers': layers([1, 1, 0, 1]) }],
    ['layers without key-value heads', { 'attention.head_count_kv': layers([0, 0, 2, 0]) }],
    ['an interval', { full_attention_interval: 4 }],
  ])('may state its recurrent layers as %s', async (_way, stated) => {
    const { full_attention_interval: _, ...rest } = FLASH_NEXT;
    const { parts } = await estimateOf({ ...rest, block_count: 4, ...stated }, 4096);
    // One layer with a cache, and three of the 36 with a state in the log above.
    expect(parts.ram.kvCacheBytes).toBe(11 * MIB);
    expect(parts.ram.recurrentStateBytes).toBe((3 * 117_669_888) / 36);
  });

  it('has a cache in every layer where its metadata states nothing else', async () => {
    const plain = Object.fromEntries(
      Object.entries(FLASH_NEXT).filter(([key]) => !/interval|indexer|ssm/.test(key)),
    );
    const { parts } = await estimateOf(plain, 4096);
    expect(parts.ram.kvCacheBytes).toBe(4 * 96 * MIB);
    expect(parts.ram.recurrentStateBytes).toBe(0);
  });
});
