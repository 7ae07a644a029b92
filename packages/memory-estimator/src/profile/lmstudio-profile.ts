import type { GpuBackend } from '../settings/estimate-settings.js';
import {
  known,
  type EngineProfile,
  type ProfileSetting,
  type ProfileValues,
} from './engine-profile.js';
import { factsVersionOf, NEWEST_VERSION, refuseAppVersion } from './known-versions.js';
import {
  CHECKPOINT_CELLS,
  EMBEDDING_LOGITS,
  HALF_MASK,
  LATENT_VALUES,
  PINNED_ATTENTION,
} from './llama-cpp-profile.js';
import { compareVersions, versionParts, type VersionParts } from './runtime-version.js';

const GIB = 1024 ** 3;
const TRACKER = 'lmstudio-bug-tracker';
const SCHEMA = 'lmstudio-js packages/lms-kv-config/src/schema.ts';

/** An engine's default from one runtime version on. */
interface Since<T> extends ProfileSetting<T> {
  /** The first runtime version. */
  readonly from: string;
}

/** A default that is known from a runtime version on. */
function since<T>(from: string, value: T, source: string): Since<T> {
  return { from, ...known(value, source) };
}

/** The likeliest default from a runtime version on, and the other possible values. */
function unsure<T>(from: string, value: T, alternatives: readonly T[], source: string): Since<T> {
  return { from, value, alternatives, source };
}

/**
 * The defaults of a version, from the history of each default (oldest first). LM Studio's schema has dates, but no
 * runtime versions. If the version of a change is not known, both values are possible around the change.
 */
function settingsAt(version: VersionParts, backend: GpuBackend | null): EngineProfile['settings'] {
  const at = <T>(first: Since<T>, ...later: readonly Since<T>[]): ProfileSetting<T> => {
    let found = first;
    for (const entry of later)
      if (compareVersions(versionParts(entry.from), version) <= 0) found = entry;
    const { value, alternatives, source } = found;
    return { value, alternatives, source };
  };
  const onCuda = backend === 'cuda';
  const flashAttention = `${TRACKER}: on in CUDA logs, off in a capture of 2026-09-21; false in ${SCHEMA}`;
  const kernels =
    'names of runtimes: avx2, advsimd; llama.cpp pull requests 17494 of 2025-11-25 and 19738 of 2026-02-19';
  const padding =
    'llama.cpp pull requests 7257 of 2024-05-13, 16812 of 2025-10-28 and 17046 of 2025-11-07';
  return {
    contextLengthTokens: at(
      since('0', 4096, 'LM Studio 0.3.x, 2025'),
      unsure('2.0.0', 8192, [4096], 'defaultContextLength in settings.json, LM Studio 0.4.x'),
      since('2.10.1', 8192, 'defaultContextLength in settings.json, LM Studio 0.4.x'),
      unsure<number | 'maximum'>(
        '2.23.0',
        8192,
        ['maximum'],
        'one report of the maximum context for runtime 2.23.0',
      ),
      since('2.23.1', 8192, 'defaultContextLength in settings.json, seen on 2026-09-21'),
    ),
    kvCacheTypeK: at(since('0', 'f16', SCHEMA)),
    kvCacheTypeV: at(since('0', 'f16', SCHEMA)),
    flashAttention: at(
      since('0', false, 'logs of 2025 (CUDA in July, Metal runtime 1.44.0 in August)'),
      unsure('1.45.0', onCuda, [!onCuda], flashAttention),
    ),
    batchTokens: at(
      since('0', 512, `${SCHEMA}; logs of 2025 and of runtime 2.13.0`),
      unsure('2.16.0', 2048, [512], `${SCHEMA} since 2026-05-22`),
      since('2.20.0', 2048, `${SCHEMA} since 2026-05-22; logs`),
      unsure('2.31.2', 512, [2048], 'a log of runtime 2.31.2'),
      since('2.31.3', 2048, `${SCHEMA} since 2026-05-22; logs`),
    ),
    ubatchTokens: at(since('0', 512, 'all logs')),
    parallelSequences: at(
      since('0', 1, `${SCHEMA} before 2026-01-23; logs of 2025`),
      unsure('2.0.0', 4, [1], `${SCHEMA} since 2026-01-23; ${TRACKER} #1862`),
      since('2.10.1', 4, `${SCHEMA} since 2026-01-23; ${TRACKER} #1862`),
    ),
    kvUnified: at(
      unsure('0', true, [false], 'logs of 2025 have either value, with one sequence'),
      unsure('2.0.0', true, [false], `${SCHEMA} since 2026-01-23`),
      since('2.10.1', true, `${SCHEMA} since 2026-01-23; logs`),
    ),
    swaFull: at(
      since('0', true, 'logs of gpt-oss on runtime 1.44.0 and LM Studio 0.3.23'),
      unsure('1.45.0', true, [false], 'the size of the context of gemma-3-27b on runtime 1.52.1'),
      unsure('2.0.0', true, [false], `${TRACKER} #1740 (2.10.1, 2.11.0); a log of 2.16.0`),
      unsure(
        '2.20.0',
        false,
        [true],
        'no log of a windowed cache from the engine that runs llama-server',
      ),
    ),
    reservedLogits: at(
      since('0', 'micro-batch', 'compute buffers in logs up to runtime 2.13.0'),
      unsure('2.13.1', 'micro-batch', ['asked-outputs'], 'no log between 2.13.0 and 2.20.0'),
      unsure('2.20.0', 'asked-outputs', ['micro-batch'], 'logs of llama-server b9849 and newer'),
      since('2.37.0', 'asked-outputs', 'runtime 2.37.0 is llama.cpp b10914; logs of b9849'),
    ),
    outputLayer: at(
      since('0', 'last', 'logs of 2025 with 15 and 19 layers on the GPU'),
      unsure('1.53.0', 'first', ['last'], 'llama.cpp pull request 18148 of 2025-12-17'),
      since('2.0.0', 'first', 'llama.cpp pull request 18148 of 2025-12-17'),
    ),
    unifiedContext: at(since('0', 'shared', 'logs of runtimes with a unified cache')),
    cellPadding: at<ProfileValues['cellPadding']>(
      since('0', 'by-attention', padding),
      unsure<ProfileValues['cellPadding']>('1.50.0', 'by-attention', ['none', 256], padding),
      since('2.0.0', 256, padding),
    ),
    cpuBatchTokens: at(since('0', null, SCHEMA)),
    embeddingLogits: at(
      unsure('0', false, [true], EMBEDDING_LOGITS),
      // Runtime 1.44.0 loads gpt-oss, as llama.cpp does since August 2025.
      since('1.44.0', true, EMBEDDING_LOGITS),
    ),
    embeddingSequences: at<ProfileValues['embeddingSequences']>(
      since('0', 'as-set', 'one sequence for all models'),
      unsure<ProfileValues['embeddingSequences']>(
        '2.0.0',
        'as-set',
        ['single'],
        `${TRACKER} #1830 loads one with --parallel 1, and ${SCHEMA} has no such setting for embedding models`,
      ),
    ),
    embeddingBatch: at(
      unsure('0', 'as-set', ['context'], `${TRACKER} #2293 was first reported for runtime 2.23.1`),
      since('2.23.1', 'context', `${TRACKER} #2293`),
      unsure(
        '2.28.3',
        'context',
        ['as-set'],
        `${TRACKER} #2293 was last reported for runtime 2.28.2`,
      ),
    ),
    cpuKernels: at<ProfileValues['cpuKernels']>(
      since('0', 'machine-2025', kernels),
      unsure<ProfileValues['cpuKernels']>('1.53.0', 'machine', ['machine-2025'], kernels),
      // An inference: llama.cpp loads Gemma 4 from b8639 of 2026-04-02 on, and no log of these runtimes shows a repacked copy.
      unsure<ProfileValues['cpuKernels']>(
        '2.10.1',
        'machine',
        ['machine-2025'],
        `inferred: ${kernels}; runtime 2.10.1 loads Gemma 4 (${TRACKER} #1740), as llama.cpp does since b8639 of 2026-04-02`,
      ),
      since('2.37.0', 'machine', `${kernels}; runtime 2.37.0 is llama.cpp b10914`),
    ),
    cachesLatentValues: at(
      since('0', true, LATENT_VALUES),
      unsure('2.0.0', false, [true], LATENT_VALUES),
      since('2.10.1', false, LATENT_VALUES),
    ),
    cachesNextToken: at(
      since('0', false, 'n_layer_kv_from_start in llama-hparams.h, 2025'),
      unsure('2.20.0', false, [true], 'llama.cpp b10257 caches them, and v0.5.0 does not'),
    ),
    castsMask: at(
      since('0', true, HALF_MASK),
      unsure('2.16.0', false, [true], HALF_MASK),
      since('2.23.0', false, HALF_MASK),
    ),
    offloadsKvCache: at(since('0', true, SCHEMA)),
    pinsFlashAttention: at(
      since('0', false, PINNED_ATTENTION),
      unsure('2.0.0', false, [true], PINNED_ATTENTION),
    ),
    locksWeights: at(since('0', true, `${SCHEMA}; --load-mode mmap+mlock in command lines`)),
    draftTokens: at(
      since('0', 0, `${SCHEMA} (speculative decoding is off)`),
      unsure(
        '2.20.0',
        0,
        [3],
        `off in ${SCHEMA}; captured loads have draft-mtp with 2 or 3 tokens`,
      ),
    ),
    encoderFlashAttention: at(
      unsure('0', true, [false], 'no log of a projector before runtime 2.13.0'),
      since('2.13.0', true, 'the encoder buffer of Qwen3-VL-4B on runtime 2.13.0'),
    ),
    promptCacheBytes: at(
      since('0', 0, 'added in spring 2026'),
      unsure('2.10.0', 0, [8 * GIB], `on by default since spring 2026 (${TRACKER} #1764, #2086)`),
      since('2.16.0', 8 * GIB, `${TRACKER} #1764 and #2086`),
    ),
    contextCheckpoints: at(
      since('0', 0, `not in ${SCHEMA} before 2026-07-10`),
      unsure('2.20.0', 32, [0], `${SCHEMA} since 2026-07-10`),
      since('2.23.0', 32, `${SCHEMA} since 2026-07-10`),
    ),
    checkpointCells: at<ProfileValues['checkpointCells']>(
      since('0', 'cache', CHECKPOINT_CELLS),
      unsure<ProfileValues['checkpointCells']>('2.16.1', 'window', ['cache'], CHECKPOINT_CELLS),
      // Its checkpoints are of 2026-07-10.
      since('2.23.0', 'window', CHECKPOINT_CELLS),
    ),
  };
}

/**
 * The defaults of LM Studio with a runtime.
 *
 * @param version `null`, or newer than any known version: the newest known defaults.
 * @throws RangeError where the text is not a version, or is a version of LM Studio's app.
 */
export function lmStudioProfile(version: string | null, backend: GpuBackend | null): EngineProfile {
  if (version !== null) refuseAppVersion(version);
  const asked = versionParts(version ?? NEWEST_VERSION);
  return {
    engine: 'lmstudio',
    runtimeVersion: version,
    factsVersion: factsVersionOf(asked),
    backend,
    isCompared: false,
    engineMemory: null,
    settings: settingsAt(asked, backend),
  };
}
