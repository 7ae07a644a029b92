import type { FootprintInterval, LoadConfig } from '@mai/memory-ledger';
import { findArchitecture } from '../architecture/architectures.js';
import { indexModel, type ModelIndex } from '../architecture/model-index.js';
import type { GgufHeader } from '../gguf/gguf-header.js';
import { memoryOfPlan, type LoadMemory, type SettledMemory } from '../memory/load-memory.js';
import { sumParts, type PartName } from '../memory/memory-parts.js';
import { growthOf, MOST_STATE_SHARE } from '../memory/growth.js';
import { usedProfile } from '../load/used-profile.js';
import { reportedSettings } from '../settings/estimate-settings.js';
import { confidenceOf, notesOf } from './confidence.js';
import { CPU_ENVIRONMENT, type EstimateEnvironment } from '../load/environment.js';
import type { FootprintEstimate, PartIntervals } from './footprint-estimate.js';
import { partInterval, totalInterval, type IntervalFacts } from './interval.js';
import { planLoad, type LoadPlan } from '../load/plan-load.js';
import { refusals } from '../load/refusals.js';

/**
 * Estimates the memory of a model that is loaded with a configuration: bytes of RAM (mapped and anonymous) and of
 * each GPU, with the parts, an interval and a confidence.
 *
 * Weights, KV cache, recurrent state and output buffer are exact for llama.cpp v0.5.0. Compute buffers are computed
 * as llama.cpp does: by building the graph and packing its tensors. If the engine's profile does not know a
 * setting, the interval covers all possible values.
 *
 * @param loadConfig `null` takes the default of the environment's profile. A context of more than 2^30 tokens
 *   counts as 2^30.
 * @param environment Default: a machine without a GPU, and llama.cpp.
 * @throws RangeError for a figure that no load can have: a context of 0, a ratio that is NaN.
 */
export function estimateFootprint(
  header: GgufHeader,
  loadConfig: LoadConfig,
  environment: EstimateEnvironment = CPU_ENVIRONMENT,
): FootprintEstimate {
  const index = indexModel(header);
  return estimatePlan(index, planLoad(index, loadConfig, environment));
}

/** Estimates a plan. */
export function estimatePlan(index: ModelIndex, plan: LoadPlan): FootprintEstimate {
  return assemble(index, plan, memoryOfPlan(index, plan));
}

/** Converts memory by device into a footprint. */
export function assemble(index: ModelIndex, plan: LoadPlan, memory: LoadMemory): FootprintEstimate {
  const { settings, environment } = plan;
  const { profile } = environment;
  const { ram, gpus } = memory.expected;
  const ramBytes = sumParts(ram);
  const isMapped = environment.mapsWeights && !settings.locksWeights;
  const mappedBytes = isMapped ? ram.weightsBytes : 0;
  const keyOf = (i: number) => environment.gpus[i]?.deviceKey ?? `gpu:${i}`;
  const exactParts = exactPartsOf(memory, profile.isCompared);
  const facts = intervalFacts(index, plan, memory);
  return {
    ram: { mappedBytes, anonymousBytes: ramBytes - mappedBytes },
    gpus: gpus.map((gpu, i) => ({ deviceKey: keyOf(i), bytes: sumParts(gpu) })),
    totalBytes: ramBytes + gpus.reduce((sum, gpu) => sum + sumParts(gpu), 0),
    interval: intervalOf(index, plan, memory),
    source: 'gguf-header',
    confidence: facts.confidence,
    parts: { ram, gpus: gpus.map((gpu, i) => ({ ...gpu, deviceKey: keyOf(i) })) },
    exactParts,
    partIntervals: partIntervalsOf(memory, exactParts, facts),
    growth: growthOf(index.model, plan.ends, profile, {
      unknownStateBytes: unknownStateBytes(index),
      mayKeepCache: findArchitecture(index.header.architecture).memory !== 'none',
    }),
    settings: reportedSettings(
      settings,
      Math.min(settings.gpuLayers, (index.model?.layersInFile ?? 0) + 1),
    ),
    profile: usedProfile(profile, plan.fromProfile),
    refusal: refusals(index.model, settings)[0]?.message ?? null,
    notes: notesOf(index, plan, memory.expected),
  };
}

/** Keys of models that keep a state or a windowed cache for each sequence. */
const STATE_KEY = /\.(attention\.sliding_window|(ssm|wkv|shortconv|kda)\.\w+)$/;

/**
 * The most that the state of one sequence may take beyond what the header tells: nothing for a model whose architecture is
 * known.
 */
function unknownStateBytes({ header, model }: ModelIndex): number {
  if (model?.architecture.known === true) return 0;
  const mayKeepState =
    model === null || [...header.metadata.keys()].some((key) => STATE_KEY.test(key));
  return mayKeepState ? MOST_STATE_SHARE * header.tensorBytes : 0;
}

/** The range of a plan's total. */
export function intervalOf(
  index: ModelIndex,
  plan: LoadPlan,
  memory: LoadMemory,
): FootprintInterval {
  return totalInterval([memory.expected, ...memory.ends], intervalFacts(index, plan, memory));
}

function intervalFacts(index: ModelIndex, plan: LoadPlan, { expected }: LoadMemory): IntervalFacts {
  return {
    confidence: confidenceOf(index, plan, expected),
    vocabulary: index.model?.vocabulary ?? 0,
    isCompared: plan.environment.profile.isCompared,
    gpuBackend: plan.settings.gpuBackend,
  };
}

/** The exact parts. A part that depends on an unknown setting is not exact. */
function exactPartsOf({ expected, ends }: LoadMemory, isCompared: boolean): readonly PartName[] {
  return expected.exactParts.filter(
    (part) =>
      (part !== 'compute' || isCompared) &&
      ends.every((end) => bytesOf(end, `${part}Bytes`) === bytesOf(expected, `${part}Bytes`)),
  );
}

function partIntervalsOf(
  { expected, ends }: LoadMemory,
  exactParts: readonly PartName[],
  facts: IntervalFacts,
): PartIntervals {
  const of = (key: keyof PartIntervals) => {
    const bytes = [expected, ...ends].map((memory) => bytesOf(memory, key));
    const isExact = exactParts.some((part) => `${part}Bytes` === key);
    return isExact
      ? { lowBytes: bytesOf(expected, key), highBytes: bytesOf(expected, key) }
      : partInterval(key, bytes, facts);
  };
  return {
    weightsBytes: of('weightsBytes'),
    repackBytes: of('repackBytes'),
    kvCacheBytes: of('kvCacheBytes'),
    recurrentStateBytes: of('recurrentStateBytes'),
    computeBytes: of('computeBytes'),
    outputBytes: of('outputBytes'),
    visionProjectorBytes: of('visionProjectorBytes'),
    visionEncoderBytes: of('visionEncoderBytes'),
    draftBytes: of('draftBytes'),
    engineBytes: of('engineBytes'),
  };
}

/** A part over RAM and all GPUs. */
function bytesOf({ ram, gpus }: SettledMemory, key: keyof PartIntervals): number {
  return gpus.reduce((sum, gpu) => sum + gpu[key], ram[key]);
}
