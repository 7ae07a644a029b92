import type { ChainEntry, ModelConfig, Tier } from './model-config.js';
import type { ModelProfile } from './profile/merge-with-downloaded.js';

/**
 * The steps of a chain with its references to other chains replaced by their steps; the first mention
 * of a model counts. `null` if there is no chain of this name.
 */
export function chain(config: ModelConfig, name: string): readonly ChainEntry[] | null {
  if (config.fallbackChains[name] === undefined) return null;
  const steps = new Map<string, ChainEntry>();
  // Cycles were refused when the configuration was read, so this ends.
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
 * The profiles of a chain in order of preference, `downloaded:CAPABILITY` filled in: every downloaded
 * model with that capability that the chain names nowhere, large before medium before small, in the
 * order of `profiles` within a tier; `downloaded:CAPABILITY:TIER` is filled in with those of that tier
 * alone. `null` if there is no chain of this name.
 */
export function resolveChain(
  config: ModelConfig,
  name: string,
  profiles: readonly ModelProfile[],
): readonly ModelProfile[] | null {
  const steps = chain(config, name);
  if (steps === null) return null;
  const named = new Set(steps.flatMap((step) => (step.kind === 'model' ? [step.modelKey] : [])));
  const byKey = new Map(profiles.map((profile) => [profile.modelKey, profile]));
  const resolved = new Set<ModelProfile>();
  for (const step of steps) {
    if (step.kind === 'model') {
      const profile = byKey.get(step.modelKey);
      if (profile !== undefined) resolved.add(profile);
    } else if (step.kind === 'downloaded') {
      const matching = profiles.filter(
        (profile) =>
          profile.downloaded &&
          profile.capabilities.includes(step.capability) &&
          (step.tier === null || profile.tier === step.tier) &&
          !named.has(profile.modelKey),
      );
      for (const profile of matching.sort((a, b) => RANK[a.tier] - RANK[b.tier])) {
        resolved.add(profile);
      }
    }
  }
  return [...resolved];
}

const RANK: Readonly<Record<Tier, number>> = { large: 0, medium: 1, small: 2 };

function stepName(entry: Exclude<ChainEntry, { kind: 'chain' }>): string {
  return entry.kind === 'model'
    ? `model:${entry.modelKey}`
    : `downloaded:${entry.capability}:${entry.tier ?? ''}`;
}
