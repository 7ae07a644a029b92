import { between, DESKTOP, during, GIB, GPU_MACHINE, ramp, turns, type Point } from './curves.js';
import { scenario, type Scenario } from './scenario.js';

/** Scenarios with faults, or with changes of memory that are hard to follow. */
export const TROUBLE_SCENARIOS: readonly Scenario[] = [
  scenario(
    'noise-at-the-limit',
    'Use by others varies around the level at which the large model just fits.',
    4,
    (random, endS) =>
      Array.from({ length: endS / 10 }, (_, index) => ({
        atS: index * 10,
        ramGib: 9.6 + between(random, -0.6, 0.6),
      })),
    { short: true },
  ),
  scenario('leak', 'A program leaks memory until it is restarted.', 8, (random, endS) => {
    const points: Point[] = [{ atS: 0, ramGib: 5 }];
    const everyS = between(random, 6000, 9000);
    for (let atS = 60; atS + everyS < endS; atS += everyS) {
      points.push(...ramp(atS, everyS - 60, 5, 19), { atS: atS + everyS - 30, ramGib: 5 });
    }
    return points;
  }),
  scenario(
    'loaded-by-hand',
    "A person loads a model in LM Studio's window, and unloads it two hours later.",
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
    'The GPU driver is reset. The GPU cannot be read for a minute.',
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
    'swap-storm',
    'For a while, others alone need more memory than the machine has.',
    4,
    (random) => [
      { atS: 0, ramGib: 6 },
      ...ramp(between(random, 4000, 5000), 300, 6, 33),
      { atS: 6500, ramGib: 8 },
    ],
  ),
  scenario(
    'bursty-requests',
    'Requests come in bursts, and memory is tight at times.',
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
  scenario('fast-ramp', 'Use by others rises above the hard limit within seconds.', 4, (random) => [
    { atS: 0, ramGib: 6 },
    ...ramp(between(random, 3000, 4000), 30, 6, 20),
    { atS: 6000, ramGib: 6 },
    ...ramp(between(random, 9000, 10_000), 60, 6, 20),
    { atS: 12_000, ramGib: 6 },
  ]),
  scenario('restarts', 'LM Studio is restarted again and again.', 6, (random, endS) => {
    const points: Point[] = [{ atS: 0, ramGib: 6 }];
    for (let atS = 3000; atS < endS - 600; atS += between(random, 3000, 6000)) {
      points.push(
        { atS, ramGib: 6, events: [{ type: 'lmStudioDown' }] },
        { atS: atS + between(random, 10, 90), ramGib: 6, events: [{ type: 'lmStudioUp' }] },
      );
    }
    return points;
  }),
  scenario('failing-loads', 'Some loads fail.', 8, (random, endS) =>
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
  scenario(
    'spikes',
    'Use by others has short peaks that end before a model could be loaded.',
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
    'Parallel tests take and free memory every half minute.',
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
  scenario(
    'nearly-full',
    'The machine is small, and even the smallest model hardly fits.',
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
];
