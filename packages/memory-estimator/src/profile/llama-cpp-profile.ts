import {
  known,
  type EngineProfile,
  type ProfileSetting,
  type ProfileValues,
} from './engine-profile.js';

/** The version that the estimate was compared with. */
const COMPARED_VERSION = 'v0.5.0';
const COMPARED = 'llama.cpp v0.5.0 (commit de3ff815)';
const SERVER = 'llama-server, tools/server/README.md';
/** The last build that is known to keep values of latent attention, and the first that is known to keep none. */
const LATENT_VALUES_KEPT = { until: 7700, not: 7900 } as const;
/** The change after which llama.cpp keeps no values of latent attention. */
export const LATENT_VALUES = 'llama.cpp pull request 19067 of 2026-01-24';
/**
 * A build of 2026-05-25 (ggml-org/llama.cpp #23652), before the two changes below, and a build of 2026-06-09 (#24372), after them.
 * The builds of the changes themselves are not known.
 */
const EARLY_SUMMER_2026 = { before: 9265, after: 9570 } as const;
/** The change after which flash attention gets its mask in F16. */
export const HALF_MASK = 'llama.cpp pull request 23764 of 2026-05-27';
/** The change after which the CPU computes flash attention where the KV cache is in RAM. Version v0.5.0 does not do this. */
export const PINNED_ATTENTION = 'llama.cpp pull request 19105 of 2026-01-26';
/** The last build that is known to be older than this change. */
const PINNED_ATTENTION_NOT_UNTIL = 7700;
/** The change after which a context checkpoint holds only the cells inside the window. */
export const CHECKPOINT_CELLS = 'llama.cpp pull request 23981 of 2026-06-02';
/** A build that gives layers for multi-token prediction a cache. Those of 2025 do not, and v0.5.0 does not. */
const NEXT_TOKEN_CACHE = { possible: 9500, seen: 10257 } as const;
/** The first known build whose llama-server reserves logits only for the asked outputs. */
const ASKED_OUTPUTS_SINCE = 9849;
/**
 * Builds around llama.cpp's pull requests 16812 of 2025-10-28, which removed the padding, and 17046 of 2025-11-07, which
 * brought back 256. Their builds are not known exactly.
 */
const PADDING_CHANGED = { after: 6800, before: 7050 } as const;
const PADDING = 'llama.cpp pull requests 7257, 16812 and 17046';
/** The change after which llama.cpp also keeps the logits of an embedding model. */
export const EMBEDDING_LOGITS =
  'llama.cpp pull request 14208 of 2025-06-16; output_reserve in llama-context.cpp';
/** A build of 2025-07-22 (ggml-org/llama.cpp #14812), after the change. The build of the change itself is not known. */
const EMBEDDING_LOGITS_SINCE = 5920;
const GIB = 1024 ** 3;

/** llama.cpp as a library, as Mai loads models with it. The exact figures were compared with this version. */
export const LLAMA_CPP_PROFILE: EngineProfile = {
  engine: 'llama.cpp',
  runtimeVersion: null,
  factsVersion: COMPARED_VERSION,
  backend: null,
  isCompared: true,
  engineMemory: null,
  settings: {
    contextLengthTokens: known(4096, "Mai's default"),
    kvCacheTypeK: known('f16', COMPARED),
    kvCacheTypeV: known('f16', COMPARED),
    flashAttention: known(true, COMPARED),
    batchTokens: known(512, "Mai's default"),
    ubatchTokens: known(512, COMPARED),
    parallelSequences: known(4, "Mai's default"),
    kvUnified: known(true, "Mai's default"),
    swaFull: known(false, "Mai's default"),
    reservedLogits: known('micro-batch', COMPARED),
    outputLayer: known('first', COMPARED),
    unifiedContext: known('shared', COMPARED),
    cellPadding: known(256, COMPARED),
    cpuBatchTokens: known(null, COMPARED),
    embeddingLogits: known(true, EMBEDDING_LOGITS),
    embeddingBatch: known('as-set', COMPARED),
    embeddingSequences: known('as-set', COMPARED),
    cpuKernels: known('machine', COMPARED),
    cachesLatentValues: known(false, COMPARED),
    cachesNextToken: known(false, COMPARED),
    castsMask: known(false, COMPARED),
    offloadsKvCache: known(true, COMPARED),
    pinsFlashAttention: known(false, `${COMPARED}: its compute buffers on Vulkan`),
    locksWeights: known(false, COMPARED),
    draftTokens: known(0, COMPARED),
    encoderFlashAttention: known(true, COMPARED),
    promptCacheBytes: known(0, COMPARED),
    contextCheckpoints: known(0, COMPARED),
    checkpointCells: known('window', CHECKPOINT_CELLS),
  },
};

/**
 * The defaults of llama-server in a build of llama.cpp, such as `b9849`.
 *
 * @throws RangeError where the version is not a build.
 */
export function llamaServerProfile(version: string): EngineProfile {
  const build = /^b(\d+)$/.exec(version)?.[1];
  if (build === undefined)
    throw new RangeError(`A version of llama.cpp is a build such as b9849, not ${version}.`);
  const isRecent = Number(build) >= ASKED_OUTPUTS_SINCE;
  const sinceWhen = `${SERVER}, since an unknown build`;
  return {
    ...LLAMA_CPP_PROFILE,
    runtimeVersion: version,
    factsVersion: version,
    isCompared: false,
    settings: {
      ...LLAMA_CPP_PROFILE.settings,
      batchTokens: known(2048, SERVER),
      cellPadding: cellPaddingOf(Number(build)),
      reservedLogits: isRecent
        ? known('asked-outputs', 'logs of llama-server b9849')
        : { value: 'micro-batch', alternatives: ['asked-outputs'], source: sinceWhen },
      cachesLatentValues: latentValuesOf(Number(build)),
      cachesNextToken: nextTokenCacheOf(Number(build)),
      castsMask: changedInEarlySummer(Number(build), true, false, HALF_MASK),
      pinsFlashAttention: pinsFlashAttentionOf(Number(build)),
      embeddingLogits:
        Number(build) >= EMBEDDING_LOGITS_SINCE
          ? known(true, EMBEDDING_LOGITS)
          : { value: false, alternatives: [true], source: EMBEDDING_LOGITS },
      promptCacheBytes: isRecent
        ? known(8 * GIB, `${SERVER} (--cache-ram)`)
        : { value: 8 * GIB, alternatives: [0], source: sinceWhen },
      contextCheckpoints: isRecent
        ? known(32, `${SERVER} (--ctx-checkpoints)`)
        : { value: 32, alternatives: [0], source: sinceWhen },
      checkpointCells: changedInEarlySummer(Number(build), 'cache', 'window', CHECKPOINT_CELLS),
    },
  };
}

function cellPaddingOf(build: number): ProfileSetting<ProfileValues['cellPadding']> {
  if (build >= PADDING_CHANGED.before) return known(256, PADDING);
  return build <= PADDING_CHANGED.after
    ? known('by-attention', PADDING)
    : { value: 'by-attention', alternatives: ['none', 256], source: PADDING };
}

function latentValuesOf(build: number): ProfileSetting<boolean> {
  if (build <= LATENT_VALUES_KEPT.until) return known(true, LATENT_VALUES);
  return build >= LATENT_VALUES_KEPT.not
    ? known(false, LATENT_VALUES)
    : { value: false, alternatives: [true], source: LATENT_VALUES };
}

function changedInEarlySummer<T>(
  build: number,
  before: T,
  after: T,
  source: string,
): ProfileSetting<T> {
  if (build <= EARLY_SUMMER_2026.before) return known(before, source);
  return build >= EARLY_SUMMER_2026.after
    ? known(after, source)
    : { value: after, alternatives: [before], source };
}

function pinsFlashAttentionOf(build: number): ProfileSetting<boolean> {
  return build <= PINNED_ATTENTION_NOT_UNTIL
    ? known(false, PINNED_ATTENTION)
    : { value: false, alternatives: [true], source: PINNED_ATTENTION };
}

function nextTokenCacheOf(build: number): ProfileSetting<boolean> {
  const source = `the log of b${NEXT_TOKEN_CACHE.seen}`;
  if (build === NEXT_TOKEN_CACHE.seen) return known(true, source);
  return build < NEXT_TOKEN_CACHE.possible
    ? known(false, 'n_layer_kv_from_start in llama-hparams.h')
    : { value: false, alternatives: [true], source };
}
