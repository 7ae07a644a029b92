import type { SettingFromProfile } from './choose-settings.js';
import type { EngineProfile } from '../profile/engine-profile.js';

/** The profile that an estimate used, and every setting that came from it. */
export interface UsedProfile extends Pick<
  EngineProfile,
  'engine' | 'runtimeVersion' | 'factsVersion' | 'backend'
> {
  /** The settings that were not given. */
  readonly settings: readonly SettingFromProfile[];
}

/** The profile behind an estimate, with the settings that came from it. */
export function usedProfile(
  { engine, runtimeVersion, factsVersion, backend }: EngineProfile,
  settings: readonly SettingFromProfile[],
): UsedProfile {
  return { engine, runtimeVersion, factsVersion, backend, settings };
}
