import type { Resources, Tier } from '@mai/memory-ledger';
import type { EstimatorPort } from '@mai/autopilot';
import type { SimulatedLoadOption, SimulatedModel } from '@mai/simulation';
import type {
  ConfiguredModel,
  ModelConfig,
  ModelProfile,
  SimulatedModel as SimulateBlock,
} from '@mai/model-config';

/** Where the memory of a simulated model is from. */
export type FootprintOrigin = 'simulate' | 'estimate' | 'configuration';

/** The models of a chain as a simulation runs them. */
export interface SimulatedChain {
  readonly models: readonly SimulatedModel[];
  readonly origins: ReadonlyMap<string, FootprintOrigin>;
  /** Models of the chain of which nobody knows what they take. */
  readonly leftOut: readonly string[];
  /** Models of the chain that are not here, where others are. */
  readonly absent: readonly string[];
}

const QUALITY_BY_TIER: Readonly<Record<Tier, number>> = { small: 0.4, medium: 0.65, large: 0.9 };
/** A disk that reads a gigabyte a second. */
const LOAD_BYTES_PER_MS = 1e6;

/**
 * Joins the chain with the `simulate` blocks of the configuration. Where a block leaves something out, the
 * estimate stands in, then what the configuration claims; for the load time a gigabyte a second, for the
 * quality the tier. Where nothing of the chain is described and some of it is downloaded, only that is
 * simulated.
 */
export async function simulateChain(
  config: ModelConfig,
  profiles: readonly ModelProfile[],
  resources: Resources,
  estimator: EstimatorPort | null,
  signal: AbortSignal,
): Promise<SimulatedChain> {
  const configured = new Map(config.models.map((model) => [model.modelKey, model]));
  const models: SimulatedModel[] = [];
  const origins = new Map<string, FootprintOrigin>();
  const leftOut: string[] = [];
  const blockOf = ({ modelKey }: ModelProfile) => configured.get(modelKey)?.simulate ?? null;
  const downloaded = profiles.filter((profile) => profile.downloaded);
  // A block makes it a machine of the configuration's own, on which all of the chain is there.
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
  const absent = profiles.filter((one) => !here.includes(one)).map(({ modelKey }) => modelKey);
  return { models, origins, leftOut, absent };
}

/** Whether a model's memory is not all in its block. */
export function needsEstimate(block: ConfiguredModel['simulate'], resources: Resources): boolean {
  const hasGpu = resources.gpus.some(({ memory }) => memory === 'dedicated');
  return block?.footprintBytes == null || (hasGpu && block.vramBytes === null);
}

interface Memory {
  readonly footprintBytes: number;
  readonly vramBytes: number;
}

async function estimate(
  { modelKey, loadConfig, contextLengthTokens }: ModelProfile,
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
  const { ram, gpus } = footprint;
  const vramBytes = gpus.reduce((sum, { bytes }) => sum + bytes, 0);
  return { footprintBytes: ram.mappedBytes + ram.anonymousBytes + vramBytes, vramBytes };
}

function memoryOf(
  profile: ModelProfile,
  block: SimulateBlock | null,
  estimated: Memory | null,
): (Memory & { readonly origin: FootprintOrigin }) | null {
  const footprintBytes =
    block?.footprintBytes ?? estimated?.footprintBytes ?? profile.minMemoryBytes;
  if (footprintBytes === null) return null;
  // Nobody says how much of it a GPU holds: as much as the layers that are to be there.
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

/** What the rungs of a block are told apart by: a context that can be halved often enough. */
const SIMULATED_CONTEXT_TOKENS = 65_536;

function simulatedModel(
  profile: ModelProfile,
  block: SimulateBlock | null,
  { footprintBytes, vramBytes }: Memory,
): SimulatedModel {
  const cheaperLoadOptions = (block?.rungs ?? []).map((rung): SimulatedLoadOption => ({
    footprintBytes: rung.footprintBytes,
    vramBytes: Math.min(rung.footprintBytes, rung.vramBytes ?? vramBytes),
    quality: rung.quality,
  }));
  return {
    profile: {
      ...profile,
      downloaded: true,
      ttlMs: null,
      // A listed rung stands for a step of the ladder, whichever it is: all of them have to be there.
      contextLengthTokens: SIMULATED_CONTEXT_TOKENS,
      maxContextLengthTokens: null,
      loadConfig: LM_STUDIO_DEFAULTS,
    },
    footprintBytes,
    vramBytes,
    loadMs: block?.loadMs ?? Math.round(footprintBytes / LOAD_BYTES_PER_MS),
    quality: block?.quality ?? QUALITY_BY_TIER[profile.tier],
    cheaperLoadOptions,
  };
}

const LM_STUDIO_DEFAULTS = {
  contextLengthTokens: null,
  parallelSequences: null,
  offloadRatio: null,
  kvCacheTypeK: null,
  kvCacheTypeV: null,
  flashAttention: null,
  cpuExpertRatio: null,
} as const;
