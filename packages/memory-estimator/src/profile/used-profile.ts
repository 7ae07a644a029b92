import type { UsedProfile } from '../estimate/footprint-estimate.js';
import type { SettingFromProfile } from './choose-settings.js';
import type { EngineProfile } from './engine-profile.js';

/** The profile behind an estimate, with the settings that came from it. */
export function usedProfile(
  { engine, runtimeVersion, factsVersion, backend }: EngineProfile,
  settings: readonly SettingFromProfile[],
): UsedProfile {
  return { engine, runtimeVersion, factsVersion, backend, settings };
}
