import type { LoadConfig } from '@mai/memory-ledger';
import type { CatalogPort } from '@mai/autopilot';
import type { DownloadedModel } from '@mai/lmstudio-adapter';
import type { ModelConfig, ModelProfile } from '@mai/model-config';
import {
  didYouMean,
  mergeWithDownloaded,
  resolveChain,
  toSelectionPolicy,
} from '@mai/model-config';
import { HostError } from '../host-error.js';

/** The configuration joined with the downloaded models. */
export interface Catalog {
  readonly profiles: readonly ModelProfile[];
  /** Reads a fallback chain of the configuration. @throws HostError `INVALID_REQUEST` where the chain does not exist */
  readonly port: CatalogPort;
  /** A port that answers with these profiles for every chain. */
  readonly portOf: (profiles: readonly ModelProfile[]) => CatalogPort;
}

const DEFAULT_CHAIN = 'default';

/** Joins a configuration with the downloaded models. */
export function createCatalog(
  config: ModelConfig,
  downloaded: readonly DownloadedModel[],
): Catalog {
  const profiles = mergeWithDownloaded(config, downloaded);
  const policy = toSelectionPolicy(config.switching);
  const variants = Object.fromEntries(
    downloaded.map(({ modelKey, variants: all, selectedVariant }) => [
      modelKey,
      all.filter((variant) => variant !== selectedVariant),
    ]),
  );
  const portOf = (chain: readonly ModelProfile[]): CatalogPort => ({
    read: () => Promise.resolve({ chain, policy, variants }),
  });
  return {
    profiles,
    portOf,
    port: {
      read: async (options) => {
        const { chain, modelKey = null } = options;
        if (modelKey === null) return portOf(chainNamed(config, profiles, chain)).read(options);
        return { chain: profilesNamed(profiles, variants, modelKey), policy, variants: {} };
      },
    },
  };
}

/** The profile of a model or of a variant that its model's list of variants names; empty for other names. */
export function profilesNamed(
  profiles: readonly ModelProfile[],
  variants: Readonly<Record<string, readonly string[]>>,
  modelKey: string,
): readonly ModelProfile[] {
  const own = profiles.find((one) => one.modelKey === modelKey);
  if (own !== undefined) return [own];
  const base = profiles.find((one) => variants[one.modelKey]?.includes(modelKey) === true);
  return base === undefined ? [] : [{ ...base, modelKey }];
}

function chainNamed(
  config: ModelConfig,
  profiles: readonly ModelProfile[],
  name: string | null,
): readonly ModelProfile[] {
  const chain = resolveChain(config, name ?? DEFAULT_CHAIN, profiles);
  if (chain !== null) return chain;
  // Without a default chain, the chain is all profiles: the configured models in their order, then the others
  // by size.
  if (name === null) return profiles;
  const names = Object.keys(config.fallbackChains);
  const guess = didYouMean(name, names);
  const known =
    names.length === 0 ? 'The configuration has no chains.' : `Known: ${names.join(', ')}.`;
  throw new HostError(
    'INVALID_REQUEST',
    `There is no fallback chain ${JSON.stringify(name)}. ${
      guess === null ? known : `Did you mean ${guess}?`
    }`,
  );
}

/** A copy of the profile with other load settings. */
export function withLoadConfig(profile: ModelProfile, changes: Partial<LoadConfig>): ModelProfile {
  return {
    ...profile,
    contextLengthTokens: changes.contextLengthTokens ?? profile.contextLengthTokens,
    loadConfig: { ...profile.loadConfig, ...changes },
  };
}
