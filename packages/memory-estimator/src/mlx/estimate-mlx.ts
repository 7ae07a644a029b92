import { printable } from '../gguf/bytes/checked-reader.js';
import type { Footprint, LoadConfig, Resources } from '@mai/memory-ledger';
import {
  CPU_ENVIRONMENT,
  environmentOf,
  usesGpu,
  type EstimateEnvironment,
} from '../load/environment.js';
import type { FootprintEstimate, PartIntervals } from '../estimate/footprint-estimate.js';
import { mostUsualKvCacheBytes } from '../parts/usual-kv-cache.js';
import { COVERAGE } from '../estimate/interval.js';
import { NO_PARTS, sumParts, type MemoryParts, type PartName } from '../memory/memory-parts.js';
import { sumGrowth, type Growth, type GrowthPart } from '../memory/growth.js';
import { defaultContext } from '../load/choose-settings.js';
import { checkFigures } from '../settings/check-figures.js';
import { NO_SETTINGS } from '../settings/estimate-settings.js';
import type { MlxCacheShape } from './cache-shape.js';
import {
  fitMlxContext,
  mlxAutoFitOf,
  MLX_SEQUENCES,
  RESERVE_BYTES,
  type MlxAutoFit,
} from './fit-mlx-context.js';
import type { MlxModel } from './read-mlx-model.js';
import {
  PREFILL_STEPS,
  sequenceMemory,
  sumSequence,
  type MlxKvQuantization,
  type SequenceMemory,
} from './sequence-memory.js';
import { unknownMlxGrowth } from './unknown-mlx-growth.js';

/** The machine that loads an MLX model. */
export interface MlxEnvironment extends Pick<
  EstimateEnvironment,
  'profile' | 'gpuBackend' | 'gpus'
> {
  /** Bytes that the GPU may hold: the wired limit of macOS. `null` where it is not known. */
  readonly workingSetBytes: number | null;
  /** `null`: the KV cache is not quantized, which is LM Studio's default. */
  readonly kvQuantization: MlxKvQuantization | null;
  /** Default: that of the newest known mlx-engine. */
  readonly autoFit?: MlxAutoFit;
}

/** The footprint of an MLX model with its parts. */
export interface MlxEstimate extends Footprint {
  /** Bytes after the load: weights, and the state of one sequence. */
  readonly totalBytes: number;
  readonly parts: FootprintEstimate['parts'];
  readonly exactParts: readonly PartName[];
  /** The range of each part. The upper ends include one sequence that fills its context. */
  readonly partIntervals: PartIntervals;
  /** Memory that the model may take after its load, on the device of the weights. It is not part of the total. */
  readonly growth: Growth;
  /** The total while one sequence fills its context with a prompt; `null` where the size of the KV cache is not known. */
  readonly peakBytes: number | null;
  readonly contextLengthTokens: number;
  readonly parallelSequences: number;
  /**
   * The context that mlx-engine's auto-fit chooses here; `null` where auto-fit changes nothing or the limit is not
   * known.
   */
  readonly fittedContextTokens: number | null;
  /**
   * Whether the peak and the 3 GiB that mlx-engine keeps free stay below the wired limit; `null` where the limit or
   * the size of the KV cache is not known.
   */
  readonly staysBelowWiredLimit: boolean | null;
  /** Reasons for the confidence, and assumptions of the figures. */
  readonly notes: readonly string[];
}

/** A machine without a GPU, and the engine's defaults. */
export const MLX_ENVIRONMENT: MlxEnvironment = {
  ...CPU_ENVIRONMENT,
  workingSetBytes: null,
  kvQuantization: null,
};

/**
 * The environment of a load on a machine: the first GPU of a unified machine, and the wired limit of this GPU.
 *
 * @param profile The engine's defaults. Only the context length matters. Default: those of llama.cpp.
 * @param version The version of mlx-engine, such as `1.11.0`. Default, and `null`: the newest known one.
 */
export function mlxEnvironmentOf(
  resources: Pick<Resources, 'gpus' | 'unified'>,
  profile?: EstimateEnvironment['profile'],
  version: string | null = null,
): MlxEnvironment {
  const { unified, gpus } = resources;
  return {
    ...MLX_ENVIRONMENT,
    ...environmentOf(resources, profile),
    workingSetBytes: unified ? (gpus[0]?.totalBytes ?? null) : null,
    autoFit: mlxAutoFitOf(version),
  };
}

/** Python, its libraries and the tokenizer. Their memory was not measured, so this allowance is generous. */
const ENGINE_BYTES = 1024 ** 3;
/** Copies of the cache that mlx-engine keeps in memory where it answers one sequence at a time. */
const CACHE_COPIES = 10;

/**
 * Estimates the load of an MLX model.
 *
 * mlx-engine reads the weights into memory that it allocates (`lazy=False`), so the weights are anonymous, and on
 * the GPU if there is a GPU. The KV cache is not allocated at the load. It grows with the tokens.
 *
 * @param loadConfig Only the context length and the parallel sequences matter. `null`: the profile's context, but
 * at most the model's maximum, and 4 sequences.
 * @param environment Default: a machine without a GPU.
 * @throws RangeError for a context, a number of sequences, a wired limit or a quantization that no load can have.
 */
export function estimateMlx(
  model: MlxModel,
  loadConfig: LoadConfig,
  environment: MlxEnvironment = MLX_ENVIRONMENT,
): MlxEstimate {
  const { weightsBytes, cache } = model;
  const { workingSetBytes, kvQuantization, autoFit = mlxAutoFitOf(null) } = environment;
  const { contextLengthTokens: tokens, parallelSequences: sequences } = loadConfig;
  const [problem] = checkFigures({
    ...NO_SETTINGS,
    contextLengthTokens: tokens,
    parallelSequences: sequences,
  });
  if (problem !== undefined) throw new RangeError(problem.message);
  checkEnvironment(environment);
  const { contextLengthTokens: usual } = environment.profile.settings;
  const contextLengthTokens = tokens ?? defaultContext(usual.value, model.maxContextTokens);
  const parallelSequences = sequences ?? MLX_SEQUENCES;
  const stateBytes = cache?.stateBytes ?? 0;
  const totalBytes = weightsBytes + stateBytes;
  const spareBytes =
    workingSetBytes === null ? null : workingSetBytes - RESERVE_BYTES - weightsBytes;
  const sequence =
    cache === null
      ? null
      : autoFit === 'smaller-steps'
        ? atFullContext(cache, contextLengthTokens, spareBytes, kvQuantization)
        : sequenceMemory(cache, contextLengthTokens, PREFILL_STEPS[0], kvQuantization);
  const peakBytes = sequence === null ? null : weightsBytes + sumSequence(sequence);
  const hasGpu = usesGpu(environment);
  const loadedBytes = totalBytes + ENGINE_BYTES;
  // A planned load is charged the upper end. Like mlx-engine's auto-fit, the upper end includes one sequence
  // that fills its context, so the model still fits when the context is full.
  const highBytes = Math.max(loadedBytes, peakBytes ?? 0);
  const all: MemoryParts = { ...NO_PARTS, weightsBytes, recurrentStateBytes: stateBytes };
  const gpus = (hasGpu ? environment.gpus : []).map(({ deviceKey }, i) => ({
    deviceKey,
    // mlx-engine uses one GPU.
    ...(i === 0 ? all : NO_PARTS),
  }));
  const deviceKey = gpus[0]?.deviceKey ?? null;
  return {
    ram: { mappedBytes: 0, anonymousBytes: hasGpu ? 0 : totalBytes },
    gpus: gpus.map(({ deviceKey, ...parts }) => ({ deviceKey, bytes: sumParts(parts) })),
    interval: {
      coverage: COVERAGE,
      lowBytes: weightsBytes,
      highBytes,
    },
    source: 'safetensors-header',
    confidence: cache?.isKnown === true && model.complete ? 'medium' : 'low',
    totalBytes,
    parts: { ram: hasGpu ? NO_PARTS : all, gpus },
    exactParts: ['weights'],
    partIntervals: intervalsOf(weightsBytes, stateBytes, sequence),
    growth: {
      ...(sequence === null
        ? unknownMlxGrowth({
            sequences: parallelSequences,
            deviceKey,
            countedBytes: 0,
            mostKvCacheBytes: mostUsualKvCacheBytes(contextLengthTokens),
          })
        : growthOf(sequence, parallelSequences, deviceKey)),
      // Beyond the weights and the engine, the upper end consists of the first sequence's growth.
      inUpperEndBytes: highBytes - loadedBytes,
    },
    peakBytes,
    contextLengthTokens,
    parallelSequences,
    fittedContextTokens:
      workingSetBytes === null ? null : fitMlxContext(model, { workingSetBytes }, autoFit),
    staysBelowWiredLimit:
      workingSetBytes === null || peakBytes === null
        ? null
        : peakBytes + RESERVE_BYTES <= workingSetBytes,
    notes: notesOn(model),
  };
}

function checkEnvironment({ workingSetBytes, kvQuantization }: MlxEnvironment): void {
  if (workingSetBytes !== null && !(workingSetBytes >= 0))
    throw new RangeError(`workingSetBytes must be at least 0, not ${workingSetBytes}.`);
  if (kvQuantization === null) return;
  const { bits, groupSize, fromTokens } = kvQuantization;
  if (![2, 3, 4, 6, 8].includes(bits))
    throw new RangeError(`bits must be 2, 3, 4, 6 or 8, not ${bits}.`);
  if (![32, 64, 128].includes(groupSize))
    throw new RangeError(`groupSize must be 32, 64 or 128, not ${groupSize}.`);
  if (!(fromTokens >= 0))
    throw new RangeError(`fromTokens must be a number of tokens, not ${fromTokens}.`);
}

function intervalsOf(
  weightsBytes: number,
  stateBytes: number,
  sequence: SequenceMemory | null,
): PartIntervals {
  const none = { lowBytes: 0, highBytes: 0 };
  const upTo = (bytes: number) => ({ lowBytes: 0, highBytes: bytes });
  return {
    weightsBytes: { lowBytes: weightsBytes, highBytes: weightsBytes },
    repackBytes: none,
    kvCacheBytes: upTo(sequence?.kvCacheBytes ?? 0),
    recurrentStateBytes: upTo(stateBytes),
    computeBytes: upTo((sequence?.promptInputBytes ?? 0) + (sequence?.attentionBytes ?? 0)),
    outputBytes: none,
    visionProjectorBytes: none,
    visionEncoderBytes: none,
    draftBytes: none,
    engineBytes: upTo(ENGINE_BYTES),
  };
}

/** The memory of a sequence with the largest prefill step that fits, or with the smallest step if no step fits. */
function atFullContext(
  cache: MlxCacheShape,
  tokens: number,
  spareBytes: number | null,
  kvQuantization: MlxKvQuantization | null,
): SequenceMemory {
  const [largest, ...smaller] = PREFILL_STEPS;
  let memory = sequenceMemory(cache, tokens, largest, kvQuantization);
  if (spareBytes === null) return memory;
  for (const step of smaller) {
    if (sumSequence(memory) <= spareBytes) break;
    memory = sequenceMemory(cache, tokens, step, kvQuantization);
  }
  return memory;
}

const FORMULA = 'mlx-engine, batched_vision/context_fit.py (August 2026)';

function growthOf(sequence: SequenceMemory, sequences: number, deviceKey: string | null): Growth {
  const { kvCacheBytes, stateBytes, promptInputBytes, attentionBytes } = sequence;
  const parts: GrowthPart[] = [
    known('kv-cache', sequences * kvCacheBytes),
    // The state of the first sequence is part of the total.
    known('sequence-state', (sequences - 1) * stateBytes),
    known('prompt-inputs', sequences * promptInputBytes),
    // One prompt is read at a time.
    known('attention-scores', attentionBytes),
    {
      kind: 'prompt-cache',
      // With several sequences, mlx-engine keeps its prompt cache on the disk.
      mostBytes: sequences === 1 ? CACHE_COPIES * (kvCacheBytes + stateBytes) : 0,
      isKnown: false,
      source:
        'mlx-engine, cache_wrapper.py: up to 10 copies where it answers one sequence at a time',
    },
    { kind: 'engine-reserve', mostBytes: RESERVE_BYTES, isKnown: false, source: FORMULA },
  ];
  return sumGrowth(parts, deviceKey);
}

function known(kind: GrowthPart['kind'], mostBytes: number): GrowthPart {
  return { kind, mostBytes, isKnown: true, source: FORMULA };
}

function notesOn({ cache, architecture, complete }: MlxModel): readonly string[] {
  const type = architecture ?? 'this architecture';
  return [
    'No real load of an MLX model was compared with this estimate.',
    ...(complete ? [] : ['Some files of the model are missing or unfinished.']),
    ...(cache === null
      ? [
          'config.json does not state the size of the KV cache, so the growth counts the largest usual caches.',
        ]
      : cache.isKnown
        ? []
        : [
            `The caches of ${printable(type)} in mlx-lm were not looked up, so the growth is a guess.`,
          ]),
  ];
}
