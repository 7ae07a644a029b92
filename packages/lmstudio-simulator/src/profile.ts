/** Which LM Studio is played: what it can do, not a release, because which release brought what is not published. */
export interface Profile {
  readonly version: string;
  readonly build: number;
  /**
   * Publisher, indexed identifier, device, variants, time to live and last use in the model info; the
   * `runtime` namespace; resource estimates, processing states, variants; REST v1; API tokens.
   */
  readonly modern: boolean;
}

/** `old` cannot do what SDK 2.0.0 added: SDK calls hang there, as they do in the field. */
export type ProfileName = 'current' | 'old';

export const PROFILES: Readonly<Record<ProfileName, Profile>> = {
  current: { version: '0.4.18', build: 2, modern: true },
  old: { version: '0.3.9', build: 6, modern: false },
};

export function isProfileName(name: string): name is ProfileName {
  return Object.hasOwn(PROFILES, name);
}
