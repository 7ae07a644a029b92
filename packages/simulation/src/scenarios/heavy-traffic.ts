import { between, gpu, GPU_MACHINE, type Point } from './curves.js';
import { HOUR_S, scenario, type Scenario } from './scenario.js';

/** On average five requests at once, so that the model is busy nearly all the time. */
const HEAVY = { ratePerMinute: 12, meanSeconds: 25 };
const CALM = { ratePerMinute: 1, meanSeconds: 6 };
const EVENING_HOURS = 4;
const HEAVY_FROM_S = 300;

/** Use by others jumps up once an hour. Heavy requests start before the jump and end with it. */
function hourlyJumps(
  random: () => number,
  endS: number,
  point: (jumped: boolean) => Omit<Point, 'atS' | 'requests'>,
): Point[] {
  return Array.from({ length: endS / HOUR_S }, (_, hour): Point[] => {
    const fromS = hour * HOUR_S;
    const jumpS = fromS + HEAVY_FROM_S + between(random, 300, 900);
    return [
      { ...point(false), atS: fromS, requests: CALM },
      { ...point(false), atS: fromS + HEAVY_FROM_S, requests: HEAVY },
      { ...point(true), atS: jumpS, requests: HEAVY },
      { ...point(false), atS: jumpS + between(random, 600, 1200), requests: CALM },
    ];
  }).flat();
}

/** Use jumps above the capacity of a pool from one second to the next, while a model is busy. */
export const HEAVY_TRAFFIC_SCENARIOS: readonly Scenario[] = [
  scenario(
    'heavy-traffic',
    'Use of RAM jumps above its capacity while the model answers one request after another.',
    EVENING_HOURS,
    (random, endS) =>
      hourlyJumps(random, endS, (jumped) => ({ ramGib: jumped ? between(random, 18, 20) : 6 })),
  ),
  scenario(
    'heavy-traffic-gpu',
    'Use of the GPU jumps above its capacity while the model answers one request after another.',
    EVENING_HOURS,
    (random, endS) =>
      hourlyJumps(random, endS, (jumped) => ({
        ramGib: 10,
        gpus: [gpu(24, jumped ? between(random, 12, 14) : 1)],
      })),
    { machine: GPU_MACHINE },
  ),
];
