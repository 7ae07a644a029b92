import type { Resources } from '@mai/memory-ledger';
import type { DownloadedModel } from '@mai/lmstudio-adapter';
import type { ModelConfig, ModelProfile } from '@mai/model-config';
import { withLink } from '../compose/connect-lmstudio.js';
import {
  createCatalog,
  createFootprints,
  createHeaderShelf,
  libraryOf,
} from '../compose/knowledge.js';
import type { CommandContext } from '../context.js';
import type { SimulatedChain } from './simulated-chain.js';
import { needsEstimate, simulateChain } from './simulated-chain.js';

/**
 * The models of a chain for a simulation. LM Studio and its files are asked only where the configuration
 * does not say everything, so that it is the same simulation on every machine where it does.
 * @throws UsageError where there is no such chain
 */
export async function openSimulatedChain(
  config: ModelConfig,
  chainName: string | null,
  resources: Resources,
  context: CommandContext,
): Promise<SimulatedChain> {
  const { signal } = context;
  const described = config.models.flatMap(({ modelKey, simulate }) =>
    simulate?.footprintBytes == null ? [] : [describedModel(modelKey, simulate.footprintBytes)],
  );
  const named = await profilesOf(config, chainName, described, signal);
  const blocks = new Map(config.models.map((model) => [model.modelKey, model.simulate]));
  const isComplete = ({ modelKey }: ModelProfile) =>
    !needsEstimate(blocks.get(modelKey) ?? null, resources);
  if (named.length > 0 && named.every(isComplete)) {
    return simulateChain(config, named, resources, null, signal);
  }
  return withLink(context, async (link) => {
    const shelf = createHeaderShelf(context);
    const library = await libraryOf(link, context, shelf);
    const downloaded = joined(library.models, described, named);
    const profiles = await profilesOf(config, chainName, downloaded, signal);
    const footprints = createFootprints(library, { shelf, calibration: null }, () => false);
    const chain = await simulateChain(config, profiles, resources, footprints, signal);
    shelf.save();
    return chain;
  });
}

async function profilesOf(
  config: ModelConfig,
  chainName: string | null,
  downloaded: readonly DownloadedModel[],
  signal: AbortSignal,
): Promise<readonly ModelProfile[]> {
  const { port, profiles } = createCatalog(config, downloaded);
  const { chain } = await port.read({ chain: chainName, signal });
  return chain.flatMap(({ modelKey }) => profiles.find((one) => one.modelKey === modelKey) ?? []);
}

/**
 * What is downloaded on the simulated machine: where the configuration describes models, those and what
 * the chain names besides; what is on this machine otherwise.
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
    variants: [],
    selectedVariant: null,
    path: null,
    deviceIdentifier: null,
  };
}
