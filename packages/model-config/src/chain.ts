import { CAPABILITIES, type Capability } from '@mai/memory-ledger';
import type { ChainEntry, ModelConfig } from './model-config.js';
import { byFigure, byTier, qualityOfProfile } from './profile/order-profiles.js';
import { qualityOf, qualityUseOf } from './quality/quality-of.js';
import type { JudgeQuality } from './quality/remember-qualities.js';
import type { ModelProfile } from './profile/merge-with-downloaded.js';

/**
 * The steps of a chain, with references to other chains replaced by their steps. A model that is named
 * several times keeps its first place.
 *
 * @returns `null` where no chain has this name.
 */
export function chain(config: ModelConfig, name: string): readonly ChainEntry[] | null {
  if (config.fallbackChains[name] === undefined) return null;
  const steps = new Map<string, ChainEntry>();
  // This recursion ends, because a configuration with a cycle is refused when it is read.
  const visit = (entries: readonly ChainEntry[]): void => {
    for (const entry of entries) {
      if (entry.kind === 'chain') visit(config.fallbackChains[entry.name] ?? []);
      else steps.set(stepName(entry), steps.get(stepName(entry)) ?? entry);
    }
  };
  visit(config.fallbackChains[name]);
  return [...steps.values()];
}

/**
 * The capability for which the models of a chain are compared: that of the first `downloaded:` entry, else the
 * capability with the name of the chain.
 *
 * @returns `null` where neither exists.
 */
export function chainCapability(config: ModelConfig, name: string): Capability | null {
  const entry = chain(config, name)?.find(({ kind }) => kind === 'downloaded');
  if (entry?.kind === 'downloaded') return entry.capability;
  return CAPABILITIES.find((capability) => capability === name) ?? null;
}

/** A profile of a chain, and the entry that it comes from. */
export type ChainProfile<Profile> = Profile & {
  /** The entry `downloaded:...` that was expanded to the model; `null` for a model that the chain names. */
  readonly expandedFrom: string | null;
};

/**
 * The profiles of a chain in order of preference.
 *
 * `downloaded:CAPABILITY` is replaced by every downloaded model with that capability that the chain does not
 * name: large, then medium, then small. Within a tier, the model with the higher quality for this capability comes
 * first. Models of unknown quality follow in the order of `profiles`.
 * `downloaded:CAPABILITY:TIER` is replaced by the models of this tier only.
 *
 * @param profiles - the result of `mergeWithDownloaded` for this configuration.
 * @param judge - gives the qualities. Default: `qualityOf`.
 * @returns `null` where no chain has this name.
 */
export function resolveChain<Profile extends ModelProfile>(
  config: ModelConfig,
  name: string,
  profiles: readonly Profile[],
  judge: JudgeQuality = qualityOf,
): readonly ChainProfile<Profile>[] | null {
  const steps = chain(config, name);
  if (steps === null) return null;
  const named = new Set(steps.flatMap((step) => (step.kind === 'model' ? [step.modelKey] : [])));
  const byKey = new Map(profiles.map((profile) => [profile.modelKey, profile]));
  const resolved = new Map<Profile, string | null>();
  for (const step of steps) {
    if (step.kind === 'model') {
      const profile = byKey.get(step.modelKey);
      if (profile !== undefined) resolved.set(profile, null);
    } else if (step.kind === 'downloaded') {
      const matching = profiles.filter(
        (profile) =>
          profile.downloaded &&
          profile.capabilities.includes(step.capability) &&
          (step.tier === null || profile.tier === step.tier) &&
          !named.has(profile.modelKey),
      );
      const use = qualityUseOf([step.capability]);
      const byQuality = byFigure((profile) => qualityOfProfile(profile, use, judge));
      for (const profile of matching.sort((a, b) => byTier(a, b) || byQuality(a, b))) {
        if (!resolved.has(profile)) resolved.set(profile, stepName(step));
      }
    }
  }
  return [...resolved].map(([profile, expandedFrom]) => ({ ...profile, expandedFrom }));
}

function stepName(entry: Exclude<ChainEntry, { kind: 'chain' }>): string {
  return entry.kind === 'model'
    ? `model:${entry.modelKey}`
    : ['downloaded', entry.capability, ...(entry.tier === null ? [] : [entry.tier])].join(':');
}
