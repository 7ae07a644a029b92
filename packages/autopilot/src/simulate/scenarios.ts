import { createRandom } from './random.js';
import type { TraceEvent, TraceRow } from './trace.js';

const GIB = 1024 ** 3;
const HOUR_S = 3600;

/** A kind of day that a machine may have. */
export interface Scenario {
  readonly name: string;
  /** What happens, in a sentence. */
  readonly description: string;
  /** Whether an excursion is shorter than a large model takes to load. */
  readonly short: boolean;
  /** The same rows for the same seed. */
  readonly trace: (seed: number) => TraceRow[];
}

type Gpu = TraceRow['gpus'][number];

/** The machine of a scenario and how it is used; others are in GiB. */
interface Machine {
  readonly ramGib: number;
  readonly gpus: readonly Gpu[];
  readonly requests: TraceRow['requests'];
}

const DESKTOP: Machine = {
  ramGib: 32,
  gpus: [],
  requests: { ratePerMinute: 2, meanSeconds: 6 },
};
const gpu = (totalGib: number, othersGib: number, unified = false): Gpu => ({
  totalBytes: totalGib * GIB,
  othersBytes: othersGib * GIB,
  unified,
});

/** One point of a curve: from this second on. */
interface Point {
  readonly atS: number;
  readonly ramGib: number;
  readonly gpus?: readonly Gpu[];
  readonly requests?: TraceRow['requests'];
  readonly events?: readonly TraceEvent[];
  readonly cpuOthersRatio?: number;
}

function rowsOf(points: readonly Point[], machine: Machine, endS: number): TraceRow[] {
  const rows = points
    .filter((point) => point.atS < endS)
    .map((point): TraceRow => ({
      tMs: Math.round(point.atS) * 1000,
      ram: {
        totalBytes: machine.ramGib * GIB,
        othersBytes: Math.round(Math.max(0, point.ramGib) * GIB),
      },
      gpus: point.gpus ?? machine.gpus,
      cpuOthersRatio: point.cpuOthersRatio ?? 0.1,
      onBattery: false,
      requests: point.requests ?? machine.requests,
      events: point.events ?? [],
    }));
  const last = rows[rows.length - 1] as TraceRow;
  return [...rows, { ...last, tMs: endS * 1000, events: [] }];
}

/** Uniform between two numbers. */
const between = (random: () => number, low: number, high: number): number =>
  low + (high - low) * random();

/** From one level to another in steps of five seconds. */
function ramp(fromS: number, forS: number, fromGib: number, toGib: number): Point[] {
  const steps = Math.max(1, Math.round(forS / 5));
  return Array.from({ length: steps }, (_, index) => ({
    atS: fromS + (index + 1) * (forS / steps),
    ramGib: fromGib + ((toGib - fromGib) * (index + 1)) / steps,
  }));
}

/** Between two levels, in turns. */
function turns(
  random: () => number,
  options: {
    readonly lowGib: readonly [number, number];
    readonly highGib: readonly [number, number];
    readonly lowS: readonly [number, number];
    readonly highS: readonly [number, number];
    readonly endS: number;
  },
): Point[] {
  const points: Point[] = [];
  let atS = 0;
  while (atS < options.endS) {
    points.push({ atS, ramGib: between(random, ...options.lowGib) });
    atS += between(random, ...options.lowS);
    points.push({ atS, ramGib: between(random, ...options.highGib) });
    atS += between(random, ...options.highS);
  }
  return points;
}

const scenario = (
  name: string,
  description: string,
  hours: number,
  points: (random: () => number, endS: number) => Point[],
  options: { readonly machine?: Machine; readonly short?: boolean } = {},
): Scenario => ({
  name,
  description,
  short: options.short ?? false,
  trace: (seed) => {
    const endS = hours * HOUR_S;
    return rowsOf(points(createRandom(seed), endS), options.machine ?? DESKTOP, endS);
  },
});

const GPU_MACHINE: Machine = { ...DESKTOP, ramGib: 64, gpus: [gpu(24, 1)] };
const UNIFIED: Machine = { ...DESKTOP, ramGib: 36, gpus: [gpu(27, 0, true)] };

const during = (fromS: number, forS: number, ramGib: number, calmGib: number): Point[] => [
  { atS: fromS, ramGib },
  { atS: fromS + forS, ramGib: calmGib },
];

/** The library: what is reported on, and what the defaults are tuned with. */
export const SCENARIOS: readonly Scenario[] = [
  scenario('quiet', 'Nothing happens.', 4, () => [{ atS: 0, ramGib: 6 }]),
  scenario('game', 'A game starts and stops a few times.', 8, (random, endS) =>
    turns(random, {
      lowGib: [5, 7],
      highGib: [12, 14],
      lowS: [1800, 4000],
      highS: [2400, 5400],
      endS,
    }),
  ),
  scenario(
    'gpu-game',
    'The same on the GPU.',
    8,
    (random, endS) =>
      turns(random, {
        lowGib: [1, 2],
        highGib: [9, 12],
        lowS: [1800, 4000],
        highS: [2400, 5400],
        endS,
      }).map(({ atS, ramGib }) => ({ atS, ramGib: 10, gpus: [gpu(24, ramGib)] })),
    { machine: GPU_MACHINE },
  ),
  scenario('browser-creep', 'Tabs pile up over hours, then the browser is closed.', 8, (random) => [
    { atS: 0, ramGib: 5 },
    ...ramp(600, between(random, 15_000, 20_000), 5, between(random, 15, 17)),
    { atS: 22_000, ramGib: 5 },
  ]),
  scenario(
    'build-sawtooth',
    'Builds that take memory step by step and let it all go.',
    6,
    (random, endS) => {
      const points: Point[] = [{ atS: 0, ramGib: 6 }];
      for (let atS = 900; atS < endS; atS += between(random, 500, 900)) {
        points.push(...ramp(atS, 120, 6, between(random, 9, 13)), { atS: atS + 125, ramGib: 6 });
      }
      return points;
    },
  ),
  scenario(
    'noise-at-the-limit',
    'Noise around the level at which the large model just fits.',
    4,
    (random, endS) =>
      Array.from({ length: endS / 10 }, (_, index) => ({
        atS: index * 10,
        ramGib: 9.6 + between(random, -0.6, 0.6),
      })),
    { short: true },
  ),
  scenario('leak', 'A program leaks until it is restarted.', 8, (random, endS) => {
    const points: Point[] = [{ atS: 0, ramGib: 5 }];
    const everyS = between(random, 6000, 9000);
    for (let atS = 60; atS + everyS < endS; atS += everyS) {
      points.push(...ramp(atS, everyS - 60, 5, 19), { atS: atS + everyS - 30, ramGib: 5 });
    }
    return points;
  }),
  scenario(
    'loaded-by-hand',
    'Somebody loads a model in the window of LM Studio, and unloads it.',
    6,
    (random) => {
      const atS = Math.round(between(random, 3000, 6000));
      const identifier = { instanceIdentifier: 'by-hand', modelKey: 'somebody/else' };
      return [
        { atS: 0, ramGib: 6 },
        {
          atS,
          ramGib: 6,
          events: [{ type: 'foreignLoad', ...identifier, ramBytes: 6 * GIB, vramBytes: 0 }],
        },
        {
          atS: atS + 7200,
          ramGib: 6,
          events: [{ type: 'foreignUnload', instanceIdentifier: 'by-hand' }],
        },
      ];
    },
  ),
  scenario(
    'gpu-reset',
    'The GPU driver is reset; its readings are gone for a minute.',
    4,
    (random) => {
      const atS = Math.round(between(random, 3000, 9000));
      return [
        { atS: 0, ramGib: 10 },
        { atS, ramGib: 10, events: [{ type: 'gpuLost' }] },
        { atS: atS + 60, ramGib: 10, events: [{ type: 'gpuBack' }] },
      ];
    },
    { machine: GPU_MACHINE },
  ),
  scenario(
    'shared-memory',
    'The GPU lives in system memory, and a game uses both.',
    6,
    (random, endS) =>
      turns(random, {
        lowGib: [6, 8],
        highGib: [13, 15],
        lowS: [1800, 3600],
        highS: [1800, 3600],
        endS,
      }),
    { machine: { ...DESKTOP, gpus: [gpu(16, 0, true)] } },
  ),
  scenario(
    'swap-storm',
    'Others pass everything that the machine has, for a while.',
    4,
    (random) => [
      { atS: 0, ramGib: 6 },
      ...ramp(between(random, 4000, 5000), 300, 6, 33),
      { atS: 6500, ramGib: 8 },
    ],
  ),
  scenario(
    'bursty-requests',
    'Requests come in bursts; memory is tight at times.',
    6,
    (random, endS) => {
      const busy = { ratePerMinute: 30, meanSeconds: 8 };
      const calm = { ratePerMinute: 0.2, meanSeconds: 8 };
      return turns(random, {
        lowGib: [6, 7],
        highGib: [11, 13],
        lowS: [900, 1800],
        highS: [900, 1800],
        endS,
      }).map((point, index) => ({ ...point, requests: index % 3 === 0 ? busy : calm }));
    },
  ),
  scenario('fast-ramp', 'Memory is taken within seconds, beyond the hard limit.', 4, (random) => [
    { atS: 0, ramGib: 6 },
    ...ramp(between(random, 3000, 4000), 30, 6, 20),
    { atS: 6000, ramGib: 6 },
    ...ramp(between(random, 9000, 10_000), 60, 6, 20),
    { atS: 12_000, ramGib: 6 },
  ]),
  scenario(
    'two-gpus',
    'Two GPUs of different size; the first is shared with a renderer.',
    6,
    (random, endS) =>
      turns(random, {
        lowGib: [1, 2],
        highGib: [8, 11],
        lowS: [1800, 3600],
        highS: [1800, 3600],
        endS,
      }).map(({ atS, ramGib }) => ({ atS, ramGib: 10, gpus: [gpu(24, ramGib), gpu(12, 0.5)] })),
    { machine: { ...GPU_MACHINE, gpus: [gpu(24, 1), gpu(12, 0.5)] } },
  ),
  scenario(
    'unified',
    'CPU and GPU share one pool; a video editor comes and goes.',
    6,
    (random, endS) =>
      turns(random, {
        lowGib: [7, 9],
        highGib: [14, 17],
        lowS: [1800, 3600],
        highS: [1200, 3600],
        endS,
      }),
    { machine: UNIFIED },
  ),
  scenario('restarts', 'LM Studio is restarted and updated.', 6, (random, endS) => {
    const points: Point[] = [{ atS: 0, ramGib: 6 }];
    for (let atS = 3000; atS < endS - 600; atS += between(random, 3000, 6000)) {
      points.push(
        { atS, ramGib: 6, events: [{ type: 'lmStudioDown' }] },
        { atS: atS + between(random, 10, 90), ramGib: 6, events: [{ type: 'lmStudioUp' }] },
      );
    }
    return points;
  }),
  scenario('failing-loads', 'Loads fail now and then.', 8, (random, endS) =>
    turns(random, {
      lowGib: [5, 7],
      highGib: [12, 14],
      lowS: [2400, 4000],
      highS: [2400, 4000],
      endS,
    }).map((point, index) => ({
      ...point,
      events: index % 2 === 1 ? [{ type: 'failNextLoads' as const, count: 1 }] : [],
    })),
  ),
  scenario('meeting', 'A video call takes some memory and CPU every hour.', 8, (random, endS) =>
    Array.from({ length: Math.floor(endS / HOUR_S) }, (_, hour) => {
      const atS = hour * HOUR_S + between(random, 300, 900);
      return [
        { atS, ramGib: 9, cpuOthersRatio: 0.5 },
        { atS: atS + between(random, 1200, 2400), ramGib: 6, cpuOthersRatio: 0.1 },
      ];
    })
      .flat()
      .reduce<Point[]>((points, point) => [...points, point], [{ atS: 0, ramGib: 6 }]),
  ),
  scenario(
    'spikes',
    'Short spikes that are over before a model could be loaded.',
    6,
    (random, endS) => {
      const points: Point[] = [{ atS: 0, ramGib: 6 }];
      for (let atS = 300; atS < endS; atS += between(random, 200, 600)) {
        points.push(...during(atS, between(random, 4, 10), between(random, 11, 13), 6));
      }
      return points;
    },
    { short: true },
  ),
  scenario(
    'tests-in-parallel',
    'A test suite in parallel: up and down every half minute.',
    3,
    (random, endS) =>
      turns(random, {
        lowGib: [6, 7],
        highGib: [11, 13],
        lowS: [15, 40],
        highS: [15, 40],
        endS,
      }),
    { short: true },
  ),
  scenario('virtual-machine', 'A virtual machine is started for the afternoon.', 8, (random) => {
    const atS = between(random, 5000, 9000);
    return [{ atS: 0, ramGib: 5 }, ...during(atS, between(random, 9000, 12_000), 17, 5)];
  }),
  scenario(
    'render-at-night',
    'A render takes all the GPU for hours.',
    10,
    (random) => {
      const atS = Math.round(between(random, 3000, 6000));
      const forS = Math.round(between(random, 14_000, 20_000));
      return [
        { atS: 0, ramGib: 12 },
        { atS, ramGib: 20, gpus: [gpu(24, 22)] },
        { atS: atS + forS, ramGib: 12, gpus: [gpu(24, 1)] },
      ];
    },
    { machine: GPU_MACHINE },
  ),
  scenario(
    'nearly-full',
    'A small machine on which even the smallest model is a squeeze.',
    4,
    (random, endS) =>
      turns(random, {
        lowGib: [8.5, 9.5],
        highGib: [10.5, 11],
        lowS: [1200, 2400],
        highS: [900, 1800],
        endS,
      }),
    { machine: { ...DESKTOP, ramGib: 16 } },
  ),
  scenario(
    'staircase',
    'Programs are opened one after the other, and closed in the evening.',
    10,
    (random, endS) => {
      const points: Point[] = [{ atS: 0, ramGib: 4 }];
      for (let step = 1; step <= 8; step += 1) {
        points.push({ atS: step * between(random, 2400, 2600), ramGib: 4 + step * 1.6 });
      }
      points.push({ atS: endS - 9000, ramGib: 4 });
      return points;
    },
  ),
  scenario('working-day', 'Calls, builds and a game after work, in one day.', 24, (random) => [
    { atS: 0, ramGib: 4 },
    { atS: 8 * HOUR_S, ramGib: 7 },
    ...during(9 * HOUR_S + between(random, 0, 1800), 3000, 9, 7),
    ...ramp(11 * HOUR_S, 300, 7, 13),
    { atS: 11 * HOUR_S + 600, ramGib: 7 },
    ...during(14 * HOUR_S + between(random, 0, 1800), 3600, 9.5, 7),
    ...ramp(16 * HOUR_S, 400, 7, 12),
    { atS: 16 * HOUR_S + 900, ramGib: 7 },
    ...during(19 * HOUR_S + between(random, 0, 1800), 7200, 14, 4),
  ]),
];
