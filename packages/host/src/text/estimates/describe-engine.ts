import type { Growth, GrowthPart, UsedProfile } from '@mai/memory-estimator';
import { formatBytes } from '../../words.js';

/** Names an engine: `LM Studio, runtime 2.28.2 (cuda)`. */
export function describeEngine({
  engine,
  runtimeVersion,
  factsVersion,
  backend,
}: UsedProfile): string {
  if (engine === 'llama.cpp') return `llama.cpp ${factsVersion}`;
  if (engine === 'embedded') return `the embedded engine, binding ${factsVersion}`;
  const version =
    runtimeVersion === null
      ? `newest known runtime (${factsVersion})`
      : runtimeVersion === factsVersion
        ? `runtime ${runtimeVersion}`
        : `runtime ${runtimeVersion} (with what is known of ${factsVersion})`;
  return `LM Studio, ${version}${backend === null ? '' : `, ${backend === 'none' ? 'CPU' : backend}`}`;
}

/** The settings of an engine that are not known, as a clause; null where all are known. */
export function describeUnknownSettings({ settings }: UsedProfile): string | null {
  const unknown = settings.filter(({ isKnown }) => !isKnown);
  if (unknown.length === 0) return null;
  const names = unknown.map(({ setting }) => SETTING_NAMES[setting] ?? setting);
  return `not known for this engine: ${names.join(', ')}`;
}

const SETTING_NAMES: Readonly<Record<string, string>> = {
  contextLengthTokens: 'default context',
  kvCacheTypeK: 'KV cache type of the keys',
  kvCacheTypeV: 'KV cache type of the values',
  flashAttention: 'flash attention',
  batchTokens: 'batch size',
  ubatchTokens: 'micro-batch size',
  parallelSequences: 'parallel sequences',
  kvUnified: 'one cache for all sequences',
  swaFull: 'full-size windowed cache',
  reservedLogits: 'logits in the compute buffer',
  outputLayer: 'place of the output layer',
  cellPadding: 'rounding of the cells of the cache',
  embeddingBatch: 'batch of embedding models',
  embeddingLogits: 'kept logits of embedding models',
  embeddingSequences: 'parallel sequences of embedding models',
  cpuKernels: 'kernels for repacked weights',
  cachesLatentValues: 'cached values of latent attention',
  cachesNextToken: 'cache of layers for multi-token prediction',
  castsMask: 'mask of flash attention in F32',
  offloadsKvCache: 'place of the KV cache',
  pinsFlashAttention: 'place of flash attention over a KV cache in RAM',
  locksWeights: 'locked weights',
  draftTokens: 'draft tokens',
  encoderFlashAttention: 'flash attention of the image encoder',
  promptCacheBytes: 'prompt cache',
  contextCheckpoints: 'context checkpoints',
  checkpointCells: 'cells of the window in a context checkpoint',
};

const GROWTH_NAMES: Readonly<Record<GrowthPart['kind'], string>> = {
  'prompt-cache': 'prompt cache',
  'embedding-outputs': 'outputs of the longest input',
  'context-checkpoints': 'context checkpoints',
  'kv-cache': 'KV cache',
  'sequence-state': 'state of further sequences',
  'prompt-inputs': 'inputs of the prompt',
  'attention-scores': 'attention scores',
  'engine-reserve': "the engine's reserve",
};

/**
 * `It may grow by up to 9.2 GiB of RAM: prompt cache up to 8.0 GiB, …`; null where it does not grow, and for mlx-engine: its KV
 * cache grows with the tokens, so the total contains that growth, and the settings of llama.cpp do not limit it.
 */
export function describeGrowth({ mostBytes, gpus, parts }: Growth): string | null {
  if (mostBytes === 0 || parts.some(({ kind }) => kind === 'kv-cache')) return null;
  const where = gpus.length === 0 ? ' of RAM' : '';
  const each = parts.map(
    ({ kind, mostBytes: most, isKnown }) =>
      `${GROWTH_NAMES[kind]} up to ${formatBytes(most)}${isKnown ? '' : ' (not certain)'}`,
  );
  return `It may grow by up to ${formatBytes(mostBytes)}${where}: ${each.join(', ')}.`;
}
