import type { Resources, SelectionPolicy } from '@mai/memory-ledger';
import type { DownloadedModel } from '@mai/lmstudio-adapter';
import type { ModelConfig, ModelProfile } from '@mai/model-config';
import { toSelectionPolicy, withSelectedVariants } from '@mai/model-config';
import { loadConfig } from '../config/load-config.js';
import type { HostContext } from '../host-options.js';
import type { HostParts } from '../host-parts.js';
import { createCatalog, type CatalogProfile } from '../catalog/catalog.js';
import { listDownloadsNow } from '../session/session.js';
import type { SimulatedChain } from './simulated-models.js';
import { needsEstimate, simulateChain } from './simulated-models.js';

/** The memory of a simulated machine. A row of a trace of `@mai/simulation` has these fields. */
export interface SimulatedHardware {
  readonly ram: { readonly totalBytes: number; readonly othersBytes: number };
  readonly gpus: readonly {
    readonly totalBytes: number;
    readonly othersBytes: number;
    /** Whether this GPU has no memory of its own and uses the RAM above. */
    readonly unified: boolean;
  }[];
}

/** The models of a fallback chain and the rules of the configuration, for a simulation. */
export interface SimulatedModels extends SimulatedChain {
  readonly limits: SelectionPolicy;
  /** Model keys that are never evicted. */
  readonly pinned: readonly string[];
  readonly drainDeadlineMs: number;
}

/**
 * The models of a fallback chain for a simulation. Where the configuration describes every model of the
 * chain, nothing else is read, so the simulation gives the same result on every machine. Otherwise LM Studio
 * or its files supply what the configuration leaves out.
 *
 * @throws HostError `INVALID_REQUEST` where the chain does not exist
 */
export async function openSimulatedModels(
  parts: HostParts,
  context: HostContext,
  chainName: string | null,
  hardware: SimulatedHardware,
): Promise<SimulatedModels> {
  const { config } = await loadConfig(context);
  const chain = await openChain(parts, context, config, chainName, resourcesOf(hardware));
  return {
    ...chain,
    limits: toSelectionPolicy(config.switching),
    drainDeadlineMs: config.switching.drainDeadlineMs,
  };
}

async function openChain(
  parts: HostParts,
  context: HostContext,
  config: ModelConfig,
  chainName: string | null,
  resources: Resources,
): Promise<SimulatedChain & Pick<SimulatedModels, 'pinned'>> {
  const { signal } = context;
  const named = await profilesOf(config, chainName, describedIn(config), signal);
  const blocks = new Map(config.models.map((model) => [model.modelKey, model.simulate]));
  const isComplete = ({ modelKey }: ModelProfile) =>
    !needsEstimate(blocks.get(modelKey) ?? null, resources);
  if (named.length > 0 && named.every(isComplete)) {
    const simulated = await simulateChain(config, chainName, named, resources, null, signal);
    return { ...simulated, pinned: config.pins };
  }
  const { createFootprints, headers } = await parts.estimation();
  const downloads = await listDownloadsNow(parts, signal);
  const known = withSelectedVariants(config, downloads.listed);
  const described = describedIn(known);
  const library = joined(
    downloads.models,
    described,
    await profilesOf(known, chainName, described, signal),
  );
  const profiles = await profilesOf(known, chainName, library, signal);
  const footprints = createFootprints({ downloads, headers, calibration: null }, () => []);
  const simulated = await simulateChain(known, chainName, profiles, resources, footprints, signal);
  return { ...simulated, pinned: known.pins };
}

/** The models whose memory the configuration describes. */
function describedIn({ models }: ModelConfig): readonly DownloadedModel[] {
  return models.flatMap(({ modelKey, simulate }) =>
    simulate?.footprintBytes == null ? [] : [describedModel(modelKey, simulate.footprintBytes)],
  );
}

/** The memory of the simulated machine as `Resources`. */
function resourcesOf({ ram, gpus }: SimulatedHardware): Resources {
  return {
    timestampMs: 0,
    observable: true,
    ram: {
      totalBytes: ram.totalBytes,
      availableBytes: Math.max(0, ram.totalBytes - ram.othersBytes),
      mappedCountsAsUsed: false,
    },
    unified: gpus.some(({ unified }) => unified),
    gpus: gpus.map(({ totalBytes, othersBytes, unified }, index) => ({
      deviceKey: `simulated:${index}`,
      name: null,
      vendor: null,
      memory: unified ? 'shared' : 'dedicated',
      totalBytes,
      availableBytes: Math.max(0, totalBytes - othersBytes),
    })),
    cpu: { utilizationRatio: null, othersRatio: null },
  };
}

async function profilesOf(
  config: ModelConfig,
  chainName: string | null,
  downloaded: readonly DownloadedModel[],
  signal: AbortSignal,
): Promise<readonly CatalogProfile[]> {
  const { port, profiles } = createCatalog(config, {
    models: downloaded,
    listed: downloaded,
    gone: [],
    unusable: [],
    otherEntries: [],
  });
  const { chain } = await port.read({ chain: chainName, signal });
  return chain.flatMap(({ modelKey }) => profiles.find((one) => one.modelKey === modelKey) ?? []);
}

/**
 * The downloaded models of the simulated machine: the models that the configuration describes, and the
 * models of this machine that the chain names. Where the configuration describes no model, all models of
 * this machine.
 */
function joined(
  library: readonly DownloadedModel[],
  described: readonly DownloadedModel[],
  named: readonly ModelProfile[],
): readonly DownloadedModel[] {
  if (described.length === 0) return library;
  const here = library.filter(({ modelKey }) => named.some((one) => one.modelKey === modelKey));
  const missing = described.filter(
    ({ modelKey }) => !here.some((one) => one.modelKey === modelKey),
  );
  return [...here, ...missing];
}

function describedModel(modelKey: string, sizeBytes: number): DownloadedModel {
  return {
    modelKey,
    kind: 'llm',
    displayName: modelKey,
    publisher: null,
    architecture: null,
    format: 'gguf',
    quantization: null,
    sizeBytes,
    parameters: null,
    maxContextLengthTokens: null,
    vision: false,
    toolUse: false,
    reasoning: null,
    variants: [],
    selectedVariant: null,
    path: null,
    deviceIdentifier: null,
  };
}
