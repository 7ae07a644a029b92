import type { LoadConfig } from '@mai/memory-ledger';
import type { ModelProfile } from '@mai/model-config';

/** A copy of the profile with other load settings. */
export function withLoadConfig(profile: ModelProfile, changes: Partial<LoadConfig>): ModelProfile {
  return {
    ...profile,
    contextLengthTokens: changes.contextLengthTokens ?? profile.contextLengthTokens,
    loadConfig: { ...profile.loadConfig, ...changes },
  };
}
