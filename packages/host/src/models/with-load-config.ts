import type { LoadConfig } from '@mai/memory-ledger';
import type { ModelProfile } from '@mai/model-config';

/** A profile that is to be loaded otherwise than configured. */
export function withLoadConfig(profile: ModelProfile, changes: Partial<LoadConfig>): ModelProfile {
  return {
    ...profile,
    contextLengthTokens: changes.contextLengthTokens ?? profile.contextLengthTokens,
    loadConfig: { ...profile.loadConfig, ...changes },
  };
}
