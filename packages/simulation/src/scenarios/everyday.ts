import {
  between,
  DESKTOP,
  during,
  gpu,
  GPU_MACHINE,
  ramp,
  turns,
  UNIFIED,
  type Point,
} from './curves.js';
import { HOUR_S, scenario, type Scenario } from './scenario.js';

/** Scenarios of everyday use. */
export const EVERYDAY_SCENARIOS: readonly Scenario[] = [
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
    'A game that uses the GPU starts and stops a few times.',
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
  scenario(
    'browser-creep',
    'A browser takes more and more memory over hours, and is then closed.',
    8,
    (random) => [
      { atS: 0, ramGib: 5 },
      ...ramp(600, between(random, 15_000, 20_000), 5, between(random, 15, 17)),
      { atS: 22_000, ramGib: 5 },
    ],
  ),
  scenario(
    'build-sawtooth',
    'Builds take memory step by step, and free all of it at the end.',
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
    'shared-memory',
    'The GPU has no memory of its own. A game starts and stops a few times.',
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
    'two-gpus',
    'Models are split over two GPUs of different size. A renderer uses the first GPU, and a game the second.',
    6,
    (random, endS) =>
      turns(random, {
        lowGib: [1, 2],
        highGib: [14, 16],
        lowS: [1800, 3600],
        highS: [1800, 3600],
        endS,
      }).map(({ atS, ramGib }, index) => ({
        atS,
        ramGib: 10,
        gpus: index % 4 === 3 ? [gpu(24, 1), gpu(12, ramGib / 2)] : [gpu(24, ramGib), gpu(12, 0.5)],
      })),
    { machine: { ...GPU_MACHINE, gpus: [gpu(24, 1), gpu(12, 0.5)] } },
  ),
  scenario(
    'unified',
    'CPU and GPU share one pool. A video editor starts and stops a few times.',
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
  scenario('meeting', 'A video call takes some memory and CPU every hour.', 8, (random, endS) => [
    { atS: 0, ramGib: 6 },
    ...Array.from({ length: Math.floor(endS / HOUR_S) }, (_, hour) => {
      const atS = hour * HOUR_S + between(random, 300, 900);
      return [
        { atS, ramGib: 9, cpuOthersRatio: 0.5 },
        { atS: atS + between(random, 1200, 2400), ramGib: 6, cpuOthersRatio: 0.1 },
      ];
    }).flat(),
  ]),
  scenario('virtual-machine', 'A virtual machine is started for the afternoon.', 8, (random) => {
    const atS = between(random, 5000, 9000);
    return [{ atS: 0, ramGib: 5 }, ...during(atS, between(random, 9000, 12_000), 17, 5)];
  }),
  scenario(
    'render-at-night',
    'A render takes nearly all memory of the GPU for hours.',
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
    'staircase',
    'Programs are opened one after another, and all are closed in the evening.',
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
