import type { CandidateProfile, EstimatorPort } from '@mai/autopilot';
import {
  DEFAULT_LOAD_CONFIG,
  hasOwnMemory,
  totalBytesOf,
  type Resources,
  type Tier,
} from '@mai/memory-ledger';
import type {
  ConfiguredModel,
  ModelConfig,
  SimulatedModel as SimulateBlock,
} from '@mai/model-config';
import { bytesToMs } from '@mai/selector';
import type { CatalogProfile } from '../catalog/catalog.js';
import { HostError } from '../host-error.js';
import { whyNoModels } from './describe-left-out.js';

/** Memory and quality of a simulated model with one load configuration. */
export interface SimulatedLoad {
  /** Memory in all pools, RAM and GPUs. */
  readonly footprintBytes: number;
  /** The part of `footprintBytes` that is in the memory of discrete GPUs. */
  readonly vramBytes: number;
  /** Quality of the answers, 0 to 1. */
  readonly quality: number;
}

/** A model in the form that `@mai/simulation` needs. */
export interface SimulatedModel extends SimulatedLoad {
  readonly profile: CandidateProfile;
  readonly loadMs: number;
  /** Cheaper load options, the most expensive first. */
  readonly cheaperLoadOptions: readonly SimulatedLoad[];
}

/** The source of a simulated model's footprint. */
export type SimulatedFootprintOrigin = 'simulate' | 'estimate' | 'configuration';

/** The models of a fallback chain in the form that a simulation needs. */
export interface SimulatedChain {
  readonly models: readonly SimulatedModel[];
  /** By model key. */
  readonly origins: ReadonlyMap<string, SimulatedFootprintOrigin>;
  /** Models of the chain that are left out because their memory is not known. */
  readonly leftOut: readonly string[];
  /** Models of the chain that are left out because only other models of the chain are downloaded. */
  readonly absent: readonly string[];
}

const QUALITY_BY_TIER: Readonly<Record<Tier, number>> = { small: 0.4, medium: 0.65, large: 0.9 };

/**
 * Joins a fallback chain with the `simulate` blocks of the configuration. Where a block lacks a figure:
 *
 * - the memory comes from the estimate, or else from `min_memory_gb` and `min_vram_gb`;
 * - the load time is that of a disk that reads 1 GB/s;
 * - the quality follows from the tier.
 *
 * Where no model of the chain has a block and some models are downloaded, only these are simulated.
 *
 * @throws HostError `INVALID_REQUEST` where no model is left
 */
export async function simulateChain(
  config: ModelConfig,
  chainName: string | null,
  profiles: readonly CatalogProfile[],
  resources: Resources,
  estimator: EstimatorPort | null,
  signal: AbortSignal,
): Promise<SimulatedChain> {
  const configured = new Map(config.models.map((model) => [model.modelKey, model]));
  const models: SimulatedModel[] = [];
  const origins = new Map<string, SimulatedFootprintOrigin>();
  const leftOut: string[] = [];
  const blockOf = ({ modelKey }: CatalogProfile) => configured.get(modelKey)?.simulate ?? null;
  const downloaded = profiles.filter((profile) => profile.downloaded);
  // Where a block exists, the user describes another machine. Assume that the whole chain is downloaded there.
  const imagined = downloaded.length === 0 || profiles.some((profile) => blockOf(profile) !== null);
  const here = imagined ? profiles : downloaded;
  for (const profile of here) {
    const block = blockOf(profile);
    const estimated = needsEstimate(block, resources)
      ? await estimate(profile, resources, estimator, signal)
      : null;
    const memory = memoryOf(profile, block, estimated);
    if (memory === null) leftOut.push(profile.modelKey);
    else {
      origins.set(profile.modelKey, memory.origin);
      models.push(simulatedModel(profile, block, memory));
    }
  }
  if (models.length === 0) throw new HostError('INVALID_REQUEST', whyNoModels(chainName, leftOut));
  const absent = profiles.filter((one) => !here.includes(one)).map(({ modelKey }) => modelKey);
  return { models, origins, leftOut, absent };
}

/** Whether a block lacks a memory figure that an estimate must supply. */
export function needsEstimate(block: ConfiguredModel['simulate'], resources: Resources): boolean {
  const hasGpu = resources.gpus.some((gpu) => hasOwnMemory(gpu, resources));
  return block?.footprintBytes == null || (hasGpu && block.vramBytes === null);
}

interface Memory {
  readonly footprintBytes: number;
  readonly vramBytes: number;
}

async function estimate(
  { modelKey, loadConfig, contextLengthTokens }: CatalogProfile,
  resources: Resources,
  estimator: EstimatorPort | null,
  signal: AbortSignal,
): Promise<Memory | null> {
  if (estimator === null) return null;
  const { footprint } = await estimator.estimate(
    {
      modelKey,
      loadConfig: {
        ...loadConfig,
        contextLengthTokens: loadConfig.contextLengthTokens ?? contextLengthTokens,
      },
      resources,
      deviceIdentifier: null,
    },
    { signal },
  );
  if (footprint === null) return null;
  const vramBytes = footprint.gpus.reduce((sum, { bytes }) => sum + bytes, 0);
  return { footprintBytes: totalBytesOf(footprint), vramBytes };
}

function memoryOf(
  profile: CatalogProfile,
  block: SimulateBlock | null,
  estimated: Memory | null,
): (Memory & { readonly origin: SimulatedFootprintOrigin }) | null {
  const footprintBytes =
    block?.footprintBytes ?? estimated?.footprintBytes ?? profile.minMemoryBytes;
  if (footprintBytes === null) return null;
  // Without a figure for the GPU, use the share of layers on the GPU.
  const share = profile.loadConfig.offloadRatio ?? 1;
  const estimatedShare = estimated === null ? null : estimated.vramBytes / estimated.footprintBytes;
  const vramBytes =
    block?.vramBytes ??
    (estimatedShare === null ? null : footprintBytes * estimatedShare) ??
    profile.minVramBytes ??
    footprintBytes * share;
  return {
    footprintBytes,
    vramBytes: Math.min(footprintBytes, Math.round(vramBytes)),
    origin:
      block?.footprintBytes != null
        ? 'simulate'
        : estimated === null
          ? 'configuration'
          : 'estimate',
  };
}

/**
 * The context length of every simulated model. The simulation halves the context length for each cheaper load
 * option, so this length must be long enough.
 */
const SIMULATED_CONTEXT_TOKENS = 65_536;

function simulatedModel(
  profile: CatalogProfile,
  block: SimulateBlock | null,
  { footprintBytes, vramBytes }: Memory,
): SimulatedModel {
  const cheaperLoadOptions = (block?.rungs ?? []).map((option): SimulatedLoad => ({
    footprintBytes: option.footprintBytes,
    vramBytes: Math.min(option.footprintBytes, option.vramBytes ?? vramBytes),
    quality: option.quality,
  }));
  return {
    profile: {
      ...profile,
      downloaded: true,
      fileStamp: null,
      ttlMs: null,
      // Each cheaper load option of a block stands for one trade-off of the autopilot, so each trade-off
      // must be possible.
      contextLengthTokens: SIMULATED_CONTEXT_TOKENS,
      maxContextLengthTokens: null,
      loadConfig: DEFAULT_LOAD_CONFIG,
    },
    footprintBytes,
    vramBytes,
    loadMs: block?.loadMs ?? Math.round(bytesToMs(footprintBytes)),
    quality: block?.quality ?? QUALITY_BY_TIER[profile.tier],
    cheaperLoadOptions,
  };
}
