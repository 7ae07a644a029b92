/**
 * The abilities of the simulated LM Studio. A profile is not a certain release, because it is not
 * published which release has which ability.
 */
export interface Profile {
  readonly version: string;
  readonly build: number;
  /**
   * Whether it has: publisher, indexed identifier, device, variants, time to live and last use in
   * the model info; the namespace `runtime`; resource estimates, processing states, variants;
   * REST v1.
   */
  readonly modern: boolean;
}

/**
 * The name of a profile. `old` lacks abilities that SDK 2.0.0 needs, so calls of the SDK hang, as
 * with a real old LM Studio.
 */
export type ProfileName = 'current' | 'old';

export const PROFILES: Readonly<Record<ProfileName, Profile>> = {
  current: { version: '0.4.18', build: 2, modern: true },
  old: { version: '0.3.9', build: 6, modern: false },
};

export function isProfileName(name: string): name is ProfileName {
  return Object.hasOwn(PROFILES, name);
}
