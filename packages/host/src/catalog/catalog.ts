import { isDeepStrictEqual } from 'node:util';
import type { Capability, LoadConfig } from '@mai/memory-ledger';
import type { CatalogPort } from '@mai/autopilot';
import type { JudgeQuality, ModelConfig, ModelProfile } from '@mai/model-config';
import {
  builtInModelConfig,
  chainCapability,
  didYouMean,
  keyThatLoads,
  mergeWithDownloaded,
  qualityOfProfile,
  qualityUseOf,
  resolveChain,
  toSelectionPolicy,
  withSelectedVariants,
} from '@mai/model-config';
import type { EngineRefusal } from '@mai/selector';
import { HostError } from '../host-error.js';
import type { Downloads } from '../downloads/downloads-list.js';
import { leftOutByKey } from '../downloads/left-out-models.js';
import { isNamed } from '../downloads/remember-models.js';

/** A profile, with the reason why its downloaded file is not offered, and its entry of a chain. */
export interface CatalogProfile extends ModelProfile {
  /** Null where the file is offered, and where no file is downloaded. */
  readonly refusal: EngineRefusal | null;
  /** The entry of the chain that was expanded to this model; null where a person named it, and outside of a chain. */
  readonly expandedFrom: string | null;
}

/** The configuration joined with the downloaded models. */
export interface Catalog {
  readonly profiles: readonly CatalogProfile[];
  /** Reads a fallback chain of the configuration. @throws HostError `INVALID_REQUEST` where the chain does not exist */
  readonly port: CatalogPort;
  /** A port that answers with these profiles for every chain. They are compared for the capability; null: general use. */
  readonly portOf: (
    profiles: readonly CatalogProfile[],
    capability?: Capability | null,
  ) => CatalogPort;
}

const DEFAULT_CHAIN = 'default';

/** A loaded model without a file serves, so its profile says that it is downloaded. The refusal prevents another load. */
const GONE: EngineRefusal = {
  code: 'FILE_NOT_FOUND',
  reason: 'its file is gone, so it cannot be loaded again',
};

/** The part of a list of downloads that a catalog needs. */
export type CatalogDownloads = Pick<
  Downloads,
  'models' | 'listed' | 'gone' | 'unusable' | 'otherEntries'
>;

/**
 * Joins a configuration with the downloaded models.
 *
 * @param judge - gives the qualities. Default: they are derived
 * @param fileStamps - of `stampFiles`. Default: no file is known, as for a command that decides once
 */
export function createCatalog(
  given: ModelConfig,
  downloads: CatalogDownloads,
  judge?: JudgeQuality,
  fileStamps: ReadonlyMap<string, string> = new Map(),
): Catalog {
  const { gone } = downloads;
  const downloaded = [...downloads.models, ...gone];
  // An unusable file of a loaded model is listed, too.
  const listedKeys = new Set(downloads.listed.map(({ modelKey }) => modelKey));
  const listed = [...downloads.listed, ...gone.filter((one) => !listedKeys.has(one.modelKey))];
  // The variant that is selected for a refused model has that model's key, too.
  const config = withSelectedVariants(given, listed);
  const leftOut = leftOutByKey(downloads);
  const refusalOf = ({ modelKey, downloaded: isHere }: ModelProfile): EngineRefusal | null => {
    const isGone = gone.some((one) => isNamed(one, modelKey));
    if (isHere && !isGone) return null;
    return leftOut.get(modelKey)?.refusal ?? (isGone ? GONE : null);
  };
  const profiles = mergeWithDownloaded(config, downloaded).map((profile) => ({
    ...profile,
    refusal: refusalOf(profile),
    expandedFrom: null,
  }));
  const withStamps = (chain: readonly CatalogProfile[]) =>
    chain.map((one) => ({ ...one, fileStamp: fileStamps.get(one.modelKey) ?? null }));
  const policy = toSelectionPolicy(config.switching);
  const variants = Object.fromEntries(
    downloaded.map(({ modelKey, variants: all, selectedVariant }) => [
      modelKey,
      all.filter((variant) => variant !== selectedVariant),
    ]),
  );
  const portOf = (
    chain: readonly CatalogProfile[],
    capability: Capability | null = null,
  ): CatalogPort => ({
    read: () =>
      Promise.resolve({ chain: withStamps(chain), policy, variants, capability, whyEmpty: null }),
  });
  return {
    profiles,
    portOf,
    port: {
      read: async (options) => {
        const { chain, modelKey = null } = options;
        if (modelKey === null) {
          const capability = chainCapability(config, chain ?? DEFAULT_CHAIN);
          const resolved = chainNamed(config, profiles, chain, judge);
          return portOf(
            isBuiltInChain(given, chain ?? DEFAULT_CHAIN) ? asOneEntry(resolved) : resolved,
            capability,
          ).read(options);
        }
        const key = keyThatLoads(modelKey, listed);
        const named = profilesNamed(profiles, variants, key);
        const whyEmpty =
          named.length === 0 ? (leftOut.get(key)?.note ?? similarKey(modelKey, profiles)) : null;
        return { chain: withStamps(named), policy, variants: {}, capability: null, whyEmpty };
      },
    },
  };
}

/** The message for a model key that is probably a mistyped one of these; null where none of them is similar. */
function similarKey(modelKey: string, profiles: readonly ModelProfile[]): string | null {
  // A downloaded model can be loaded at once, so a similar key of one comes before the others.
  const downloaded = profiles.filter((one) => one.downloaded);
  const guess = [downloaded, profiles]
    .map((some) =>
      didYouMean(
        modelKey,
        some.map((one) => one.modelKey),
      ),
    )
    .find((meant) => meant !== null);
  return guess === undefined
    ? null
    : `There is no model ${JSON.stringify(modelKey)} on the disk or in the configuration. Did you mean ${guess}?`;
}

/** The profile of a model key; null for a key without one. */
export function profileNamed({ profiles }: Catalog, modelKey: string): CatalogProfile | null {
  // The key of a variant, such as `qwen/qwen3-4b@q8_0`, has the profile of its model.
  const model = modelKey.replace(/@[^@]*$/, '');
  return (
    profiles.find((one) => one.modelKey === modelKey) ??
    profiles.find((one) => one.modelKey === model) ??
    null
  );
}

/** The profile of a model or of a variant that its model's list of variants names; empty for other names. */
export function profilesNamed<Profile extends ModelProfile>(
  profiles: readonly Profile[],
  variants: Readonly<Record<string, readonly string[]>>,
  modelKey: string,
): readonly Profile[] {
  const own = profiles.find((one) => one.modelKey === modelKey);
  if (own !== undefined) return [own];
  const base = profiles.find((one) => variants[one.modelKey]?.includes(modelKey) === true);
  return base === undefined ? [] : [{ ...base, modelKey }];
}

function chainNamed(
  config: ModelConfig,
  profiles: readonly CatalogProfile[],
  name: string | null,
  judge: JudgeQuality | undefined,
): readonly CatalogProfile[] {
  const chain = resolveChain(config, name ?? DEFAULT_CHAIN, profiles, judge);
  if (chain !== null) return chain;
  // Without a default chain, the chain is all profiles: the configured models in their order, then the others
  // by size.
  if (name === null) {
    return profiles.map((one) => ({ ...one, expandedFrom: one.configured ? null : 'downloaded' }));
  }
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

/**
 * No person has chosen the order of a built-in chain, and the chain names no model that is newer than this version of Mai. So all
 * of its models are ordered by value on this machine, as those of one `downloaded:` entry are.
 */
function asOneEntry(chain: readonly CatalogProfile[]): readonly CatalogProfile[] {
  return chain.map((one) => ({ ...one, expandedFrom: 'built-in' }));
}

/** Whether a chain is equal to the built-in chain of this name, as where no file defines it. */
export function isBuiltInChain({ fallbackChains }: ModelConfig, name: string): boolean {
  return isDeepStrictEqual(fallbackChains[name], builtInModelConfig().fallbackChains[name]);
}

/**
 * The keys of a chain in one order of preference for all machines of a fleet: a built-in chain by quality, any other chain as it is
 * written. All profiles where no chain has this name.
 *
 * A model has one place in this order and another speed on each machine, so speed cannot be a part of it. While a model reaches
 * `minTokensPerSecond`, its value is its quality (`valueOf`), and this is the order by value. Where a copy is slower, the placement of the
 * fleet ranks that copy behind the others, and the longer time of its answers delays it.
 */
export function chainKeys(
  config: ModelConfig,
  name: string,
  profiles: readonly ModelProfile[],
  judge?: JudgeQuality,
): readonly string[] {
  const chain: readonly ModelProfile[] = resolveChain(config, name, profiles, judge) ?? profiles;
  const use = qualityUseOf([chainCapability(config, name) ?? 'chat']);
  // Below each known quality.
  const qualityFor = (one: ModelProfile): number => qualityOfProfile(one, use, judge) ?? -1;
  const ordered = isBuiltInChain(config, name)
    ? [...chain].sort((a, b) => qualityFor(b) - qualityFor(a))
    : chain;
  return ordered.map(({ modelKey }) => modelKey);
}

/** A copy of the profile with other load settings. */
export function withLoadConfig<Profile extends ModelProfile>(
  profile: Profile,
  changes: Partial<LoadConfig>,
): Profile {
  return {
    ...profile,
    contextLengthTokens: changes.contextLengthTokens ?? profile.contextLengthTokens,
    loadConfig: { ...profile.loadConfig, ...changes },
  };
}
