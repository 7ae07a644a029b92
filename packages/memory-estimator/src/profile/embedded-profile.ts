import type { EngineRules } from '../settings/estimate-settings.js';
import { CHECKPOINT_CELLS } from './llama-cpp-profile.js';
import { known, type EngineProfile, type ProfileSetting } from './engine-profile.js';

/** The version of the binding that the estimate was compared with, and its build of llama.cpp. */
const BINDING_VERSION = '1.7.15';
const BINDING = `@fugood/llama.node ${BINDING_VERSION} (llama.cpp b10257)`;
const RUNTIME = '@mai/llama-runtime, engine-defaults.ts';
const ENGINE = '@mai/llama-runtime, context-options.ts';
const LOG = `${BINDING}: its log, compared in bench/embedded`;
const SLOTS = `${BINDING}: the slot manager keeps no copies of caches and states`;

/**
 * The kernels that each platform's build has. The compiler keeps the name of a CPU feature in the module only if the
 * build has this feature. The build for Windows on x64 keeps all names, but has no AVX2 instruction that multiplies
 * bytes.
 */
const KERNELS: Readonly<Record<string, ProfileSetting<EngineRules['cpuKernels']>>> = {
  'linux-x64': known('none', `${BINDING}: system_info of the build names no AVX2`),
  'linux-arm64': known('neon', `${BINDING}: the module names NEON and DOTPROD`),
  'darwin-x64': known('avx2', `${BINDING}: the module names AVX2`),
  'darwin-arm64': known('neon', `${BINDING}: the module names NEON and DOTPROD`),
  'win32-x64': known('none', `${BINDING}: the module has no AVX2 instructions for weights`),
  'win32-arm64': known('none', `${BINDING}: the module names NEON without DOTPROD`),
};

/**
 * The anonymous memory of the engine's process after prompts at full context, less what it had before the load and
 * less the parts that llama.cpp prints. Two rounds of 26 loads with vocabularies of 8,192 to 40,000 tokens took 2.4 to
 * 10.9 MiB: Node's garbage collector returns about 5 MiB in some of them. The slopes come from vocabularies of up to
 * 150,000 tokens with as many merges.
 */
const ENGINE_MEMORY = {
  modelBytes: 3.5 * 1024 ** 2,
  tokenBytes: 163,
  mergeBytes: 112,
  source: `${BINDING}: measured by bench/embedded`,
};

const UNKNOWN_KERNELS: ProfileSetting<EngineRules['cpuKernels']> = {
  value: 'machine',
  alternatives: ['none'],
  source: `${BINDING} has no build for this platform`,
};

/**
 * The defaults of Mai's embedded engine, which loads each model with llama.cpp in a child process.
 *
 * @param platform Operating system and processor, such as `linux-x64`.
 */
export function embeddedProfile(
  platform: string = `${process.platform}-${process.arch}`,
): EngineProfile {
  return {
    engine: 'embedded',
    runtimeVersion: null,
    factsVersion: BINDING_VERSION,
    backend: null,
    isCompared: true,
    engineMemory: ENGINE_MEMORY,
    settings: {
      contextLengthTokens: known(4096, RUNTIME),
      kvCacheTypeK: known('f16', RUNTIME),
      kvCacheTypeV: known('f16', RUNTIME),
      // The engine asks llama.cpp for `auto`, which is on for every model on a CPU.
      flashAttention: known(true, `${RUNTIME}; ${LOG}`),
      batchTokens: known(512, ENGINE),
      ubatchTokens: known(512, ENGINE),
      cpuBatchTokens: known(32, ENGINE),
      parallelSequences: known(1, RUNTIME),
      kvUnified: known(true, ENGINE),
      swaFull: known(false, ENGINE),
      // The binding leaves n_outputs_max at 0, which means the batch.
      reservedLogits: known('micro-batch', LOG),
      outputLayer: known('first', BINDING),
      unifiedContext: known('each', ENGINE),
      cellPadding: known(256, LOG),
      embeddingBatch: known(2048, ENGINE),
      embeddingLogits: known(true, `${BINDING}: output_reserve in llama-context.cpp`),
      embeddingSequences: known('single', ENGINE),
      cpuKernels: Object.hasOwn(KERNELS, platform)
        ? (KERNELS[platform] ?? UNKNOWN_KERNELS)
        : UNKNOWN_KERNELS,
      cachesLatentValues: known(false, LOG),
      cachesNextToken: known(true, LOG),
      castsMask: known(false, LOG),
      offloadsKvCache: known(true, RUNTIME),
      // Has no effect, because the cache of a layer on a GPU is always on this GPU.
      pinsFlashAttention: known(false, RUNTIME),
      locksWeights: known(false, RUNTIME),
      draftTokens: known(0, `${BINDING}: no speculative decoding unless it is requested`),
      encoderFlashAttention: known(true, `${BINDING}: default of tools/mtmd`),
      // The binding's state cache (state_cache_budget_mb) serves only its API for one request at a time.
      promptCacheBytes: known(0, SLOTS),
      contextCheckpoints: known(0, SLOTS),
      checkpointCells: known('window', CHECKPOINT_CELLS),
    },
  };
}
