import type {
  Explanation,
  MemorySample,
  PoolChange,
  SwitchMark,
} from '../../src/api/api.generated.js';
import { configured, footprintOf, GIB, GPU, modelOf } from './models.js';

/** The pools of the machine: 32 GiB of RAM and a GPU with 12 GiB. */
export const POOLS = [
  {
    pool: 'ram',
    label: 'RAM',
    totalBytes: 31.2 * GIB,
    limitBytes: 26.5 * GIB,
    hardLimitBytes: 29.0 * GIB,
  },
  {
    pool: `gpu:${GPU}`,
    label: 'VRAM',
    totalBytes: 12 * GIB,
    limitBytes: 11.0 * GIB,
    hardLimitBytes: 11.5 * GIB,
  },
] as const;

export const LARGE = 'qwen/qwen3-30b-a3b-2507';
export const MEDIUM = 'qwen/qwen3-8b';
/** An embedding model that the user loaded in LM Studio. */
export const FOREIGN = 'text-embedding-nomic-embed-text-v1.5';

/** The identifier of the copy that Mai loads. */
export const identifierOf = (modelKey: string) =>
  modelKey === FOREIGN ? modelKey : `mai/${modelKey}`;

/** The bytes of RAM and VRAM that a loaded model takes. */
export function takenBy(modelKey: string): readonly [number, number] {
  if (modelKey === FOREIGN) return [0.12 * GIB, 0.34 * GIB];
  const model = modelOf(modelKey);
  if (model === undefined) return [0, 0];
  const { mappedBytes, anonymousBytes, gpus } = footprintOf(model, configured(model), true);
  return [mappedBytes + anonymousBytes, gpus[0]?.bytes ?? 0];
}

/** Seconds before now: a build starts, Mai steps down, the build ends, Mai steps up. */
const BUILD = 600;
const DOWN = 470;
const BUILD_ENDS = 230;
const UP = 130;

/** The use by other programs, in bytes. It has no randomness, so that screenshots repeat. */
export function othersAt(secondsAgo: number): readonly [number, number] {
  const wave = (period: number) => Math.sin((secondsAgo / period) * 2 * Math.PI);
  const calm = 8.1 + 0.12 * wave(47) + 0.07 * wave(11);
  const rising = Math.min(1, Math.max(0, (BUILD - secondsAgo) / 140));
  const falling = Math.min(1, Math.max(0, (BUILD_ENDS - secondsAgo) / 25));
  const build = 11.5 * rising * (1 - falling) * (1 + 0.03 * wave(19));
  return [(calm + build) * GIB, (0.9 + 0.05 * wave(83)) * GIB];
}

/** A sample of the story. */
export function sampleAt(nowMs: number, secondsAgo: number): MemorySample {
  const models = [
    FOREIGN,
    ...(secondsAgo > DOWN || secondsAgo < UP - 6 ? [LARGE] : []),
    ...(secondsAgo < DOWN - 3 && secondsAgo > UP ? [MEDIUM] : []),
  ];
  return makeSample(nowMs - secondsAgo * 1000, othersAt(secondsAgo), models);
}

/** A sample with the given models. */
export function makeSample(
  atMs: number,
  others: readonly [number, number],
  models: readonly string[],
): MemorySample {
  return {
    atMs,
    pools: POOLS.map(({ pool, totalBytes }, index) => {
      const residents = models.map((modelKey) => ({
        instanceIdentifier: identifierOf(modelKey),
        bytes: takenBy(modelKey)[index === 0 ? 0 : 1],
      }));
      const othersBytes = others[index === 0 ? 0 : 1];
      const used = residents.reduce((sum, { bytes }) => sum + bytes, othersBytes);
      return { pool, othersBytes, yieldedBytes: 0, residents, freeBytes: totalBytes - used };
    }),
  };
}

/** The switches of the last 15 minutes. */
export function storySwitches(nowMs: number): readonly SwitchMark[] {
  return [
    {
      atMs: nowMs - (DOWN - 3) * 1000,
      tookMs: 2900,
      reason: 'HARD_LIMIT',
      outcome: 'switched',
      loaded: [MEDIUM],
      unloaded: [LARGE],
      text: `Stepped down to ${MEDIUM}: RAM was about to run out.`,
    },
    {
      atMs: nowMs - (UP - 6) * 1000,
      tookMs: 6400,
      reason: 'DWELL_OVER',
      outcome: 'switched',
      loaded: [LARGE],
      unloaded: [MEDIUM],
      text: `Stepped up to ${LARGE}: there has been room for it for 90 s.`,
    },
  ];
}

/** Each pool before and after a change from some models to others. */
export function poolChanges(
  others: readonly [number, number],
  before: readonly string[],
  after: readonly string[],
): readonly PoolChange[] {
  const sum = (models: readonly string[], index: 0 | 1) =>
    models.reduce((total, modelKey) => total + takenBy(modelKey)[index], 0);
  return POOLS.map((pool, place) => {
    const index = place === 0 ? 0 : 1;
    const useAfterBytes = others[index] + sum(after, index);
    return {
      ...pool,
      measured: true,
      othersBytes: others[index],
      yieldedBytes: 0,
      useBeforeBytes: others[index] + sum(before, index),
      useAfterBytes,
      headroomBytes: pool.totalBytes - useAfterBytes,
    };
  });
}

type Told = Pick<Explanation, 'decision' | 'direction' | 'modelKey' | 'reason' | 'acted'> & {
  readonly secondsAgo: number;
  readonly headline: string;
  readonly why: string;
};

const TOLD: readonly Told[] = [
  {
    secondsAgo: UP,
    decision: 'switch',
    direction: 'up',
    modelKey: LARGE,
    acted: true,
    reason: 'DWELL_OVER',
    headline: `Stepped up to ${LARGE}`,
    why: 'The build has ended, and there has been room for the larger model for 90 s.',
  },
  {
    secondsAgo: 222,
    decision: 'switch',
    direction: 'up',
    modelKey: LARGE,
    acted: false,
    reason: 'DWELLING',
    headline: `Waits before stepping up to ${LARGE}`,
    why: 'There is room, and it must stay for 90 s.',
  },
  {
    secondsAgo: 300,
    decision: 'keep',
    direction: null,
    modelKey: MEDIUM,
    acted: false,
    reason: 'STEADY',
    headline: `Kept ${MEDIUM}`,
    why: 'Nothing larger fits beside the build.',
  },
  {
    secondsAgo: DOWN,
    decision: 'switch',
    direction: 'down',
    modelKey: MEDIUM,
    acted: true,
    reason: 'HARD_LIMIT',
    headline: `Stepped down to ${MEDIUM}`,
    why: 'At once: RAM was over its hard limit.',
  },
];

/** A quiet hour before the story, so that the log has more than one page. */
const QUIET: readonly Told[] = Array.from({ length: 30 }, (_, index): Told => {
  const modelKey = index % 5 === 4 ? MEDIUM : LARGE;
  return {
    secondsAgo: 3600 + index * 1900,
    decision: 'keep',
    direction: null,
    modelKey,
    acted: false,
    reason: 'STEADY',
    headline: `Kept ${modelKey}`,
    why: 'It is the most preferred model that fits.',
  };
});

/** The decision log, newest first. */
export function storyDecisions(nowMs: number): readonly Explanation[] {
  return [...TOLD, ...QUIET].map(({ secondsAgo, why, ...told }, index): Explanation => {
    const atMs = nowMs - secondsAgo * 1000;
    const others = othersAt(secondsAgo);
    const pools = poolChanges(others, [FOREIGN], [FOREIGN, told.modelKey ?? MEDIUM]);
    const [ram, vram] = pools;
    const share = (part: number, whole: number) => `${Math.round((part / whole) * 100)} %`;
    const gib = (bytes: number) => `${(bytes / GIB).toFixed(1)} GiB`;
    return {
      ...told,
      id: `k3f9x2-${34 - index}`,
      atMs,
      untilMs: index === 0 ? null : atMs + 60_000,
      outcome: told.acted ? 'switched' : null,
      tookMs: told.acted ? (told.direction === 'up' ? 6400 : 2900) : null,
      sentences: [
        {
          label: 'Memory',
          text: `Other programs use ${gib(others[0])} of ${gib(ram?.totalBytes ?? 0)} RAM and ${gib(others[1])} of ${gib(vram?.totalBytes ?? 0)} VRAM.`,
        },
        { label: 'Timing', text: why },
        {
          label: 'Choice',
          text: `${told.modelKey ?? ''} takes ${gib(takenBy(told.modelKey ?? '')[0])} of RAM and ${gib(takenBy(told.modelKey ?? '')[1])} of VRAM. RAM is then at ${share(ram?.useAfterBytes ?? 0, ram?.totalBytes ?? 1)}, VRAM at ${share(vram?.useAfterBytes ?? 0, vram?.totalBytes ?? 1)}.`,
        },
        {
          label: 'Rejected',
          text: 'openai/gpt-oss-120b needs 32.6 GiB more RAM (takes 49.8 GiB, allowed 17.2 GiB).',
        },
      ],
      pools: [...pools],
      headroomBytes: Math.min(...pools.map((one) => one.headroomBytes)),
      speed: modelOf(told.modelKey ?? '')?.speed ?? null,
      quality: modelOf(told.modelKey ?? '')?.quality ?? null,
      rejected: [],
      unloads: [],
      failures: [],
    };
  });
}
