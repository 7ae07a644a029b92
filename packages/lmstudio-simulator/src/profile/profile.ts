import type { LoadDefaults } from './load-defaults.js';
import {
  DEFAULTS_OF_0_4,
  DEFAULTS_OF_2025,
  DEFAULTS_OF_JUNE_2026,
  DEFAULTS_OF_SEPTEMBER_2026,
  DEFAULTS_OF_SPRING_2026,
  DEFAULTS_OF_SUMMER_2026,
} from './load-defaults.js';

/** One generation of LM Studio: its version, its abilities and its engine's defaults. */
export interface Profile {
  /** The version of LM Studio. */
  readonly version: string;
  /** The build of this version. */
  readonly build: number;
  /** The version of the llama.cpp runtime. */
  readonly runtimeVersion: string;
  /**
   * Whether this LM Studio has: publisher, indexed identifier, device, variants, time to live and last use in the
   * model info; the namespace `runtime`; resource estimates, processing states, variants; REST v1. It is not
   * published which release added each of them.
   */
  readonly modern: boolean;
  /** Whether each instance has an engine process of its own. Its log lines then carry the pid. */
  readonly engineProcess: boolean;
  /** The default settings of a load. */
  readonly load: LoadDefaults;
}

/**
 * The name of a profile. `current` is `lmstudio@0.4.21`, the version that the public captures name. `old` is
 * `lmstudio@0.3.9`. It lacks abilities that SDK 2.0.0 needs, so calls of the SDK hang.
 */
export type ProfileName =
  | 'current'
  | 'old'
  | 'lmstudio@0.3.9'
  | 'lmstudio@0.3.23'
  | 'lmstudio@0.3.31'
  | 'lmstudio@0.4.1'
  | 'lmstudio@0.4.12'
  | 'lmstudio@0.4.16'
  | 'lmstudio@0.4.21'
  | 'lmstudio@0.4.24';

// Versions, builds and runtimes without a source are marked 'assumed'.
const V0_3_9: Profile = {
  version: '0.3.9',
  // Assumed.
  build: 6,
  runtimeVersion: '1.14.0',
  modern: false,
  engineProcess: false,
  load: DEFAULTS_OF_2025,
};

// Public captures of several projects; 0.4.21 build 2 with runtime 2.28.2: lmstudio-bug-tracker #2293.
const V0_4_21: Profile = {
  version: '0.4.21',
  build: 2,
  runtimeVersion: '2.28.2',
  modern: true,
  engineProcess: true,
  load: DEFAULTS_OF_SUMMER_2026,
};

/** Every profile. README names the source of each fact. */
export const PROFILES: Readonly<Record<ProfileName, Profile>> = {
  current: V0_4_21,
  old: V0_3_9,
  'lmstudio@0.3.9': V0_3_9,
  'lmstudio@0.3.23': {
    version: '0.3.23',
    // Assumed, like the abilities of `modern` in 0.3.23.
    build: 3,
    // A log of gpt-oss-120b of August 2025 prints 1.44.0 and 'using full-size SWA cache'.
    runtimeVersion: '1.44.0',
    modern: true,
    engineProcess: false,
    load: { ...DEFAULTS_OF_2025, slidingWindowCache: 'full' },
  },
  'lmstudio@0.3.31': {
    version: '0.3.31',
    // Assumed.
    build: 7,
    // A log of gemma-3-27b of October 2025 prints 0.3.31, 1.52.1 and windows of their own size.
    runtimeVersion: '1.52.1',
    modern: true,
    engineProcess: false,
    load: DEFAULTS_OF_2025,
  },
  'lmstudio@0.4.1': {
    // lmstudio-bug-tracker #1462, 31 January 2026.
    version: '0.4.1',
    build: 1,
    // The engine of January 2026. LM Studio's docs on parallel requests name it.
    runtimeVersion: '2.0.0',
    modern: true,
    engineProcess: false,
    load: DEFAULTS_OF_0_4,
  },
  'lmstudio@0.4.12': {
    // lmstudio-bug-tracker #1821, 18 April 2026: 0.4.12 build 1 with runtime 2.13.0.
    version: '0.4.12',
    build: 1,
    runtimeVersion: '2.13.0',
    modern: true,
    engineProcess: false,
    load: DEFAULTS_OF_SPRING_2026,
  },
  'lmstudio@0.4.16': {
    // lmstudio-bug-tracker #2086, 22 June 2026: 0.4.16 build 2 with runtime 2.22.0.
    version: '0.4.16',
    build: 2,
    runtimeVersion: '2.22.0',
    modern: true,
    engineProcess: true,
    load: DEFAULTS_OF_JUNE_2026,
  },
  'lmstudio@0.4.21': V0_4_21,
  'lmstudio@0.4.24': {
    version: '0.4.24',
    // Assumed.
    build: 1,
    // A log of 14 September 2026 prints 2.37.0. Assumed: 0.4.24 came with this runtime.
    runtimeVersion: '2.37.0',
    modern: true,
    engineProcess: true,
    load: DEFAULTS_OF_SEPTEMBER_2026,
  },
};

/** Every name of a profile. */
export const PROFILE_NAMES: readonly string[] = Object.keys(PROFILES);

export function isProfileName(name: string): name is ProfileName {
  return Object.hasOwn(PROFILES, name);
}
