// Memory that other programs take, as shares of the limit of a control group. Each trace is random, with a published
// seed; the same seed gives the same rows.
import { createRandom } from '../../yardstick/random.mjs';
const STEP_MS = 250;
const SECONDS = 60;

/** Traces by name: `share(second, random)` gives the share of the limit that others want at each second. */
const COURSES = {
  'a browser that grows': (random) => {
    const [start, end, back] = [
      between(random, 10, 18),
      between(random, 28, 36),
      between(random, 44, 50),
    ];
    return (second) =>
      curve(second, [
        [0, 0.1],
        [start, 0.12],
        [end, 0.62],
        [back, 0.62],
        [back + 3, 0.15],
      ]);
  },
  'a game for half a minute': (random) => {
    const [start, long] = [between(random, 12, 18), between(random, 20, 26)];
    return (second) =>
      curve(second, [
        [start, 0.12],
        [start + 2.5, 0.66],
        [start + long, 0.66],
        [start + long + 1, 0.12],
      ]);
  },
  'builds, one after another': (random) => {
    const [period, share] = [between(random, 11, 14), between(random, 0.45, 0.6)];
    return (second) => {
      const at = second % period;
      return at < period / 2 ? 0.1 + (share * at) / (period / 2) : 0.1;
    };
  },
  'a restless desktop': (random) => {
    let share = 0.25;
    const walk = Array.from({ length: SECONDS + 1 }, () => {
      share = Math.min(0.62, Math.max(0.05, share + between(random, -0.09, 0.1)));
      return [share];
    }).map(([value], second) => [second, value]);
    return (second) => curve(second, walk);
  },
  'two peaks': (random) => {
    const [first, second] = [between(random, 10, 14), between(random, 34, 38)];
    return (at) =>
      curve(at, [
        [first, 0.1],
        [first + 2, 0.6],
        [first + 9, 0.6],
        [first + 10, 0.15],
        [second, 0.15],
        [second + 3, 0.65],
        [second + 12, 0.65],
        [second + 14, 0.1],
      ]);
  },
  'a leak that ends': (random) => {
    const end = between(random, 46, 52);
    return (second) =>
      curve(second, [
        [4, 0.08],
        [end, 0.64],
        [end + 1, 0.08],
      ]);
  },
  'others that want everything': (random) => {
    const start = between(random, 12, 18);
    return (second) =>
      curve(second, [
        [start, 0.15],
        [start + 3, 0.97],
        [start + 15, 0.97],
        [start + 16, 0.15],
      ]);
  },
};

/**
 * Every trace with its seed.
 *
 * @returns `{ name, seed, rows: [{ tMs, othersBytes }] }`
 */
export function kernelTraces(limitBytes, seeds = [2]) {
  return seeds.flatMap((seed) =>
    Object.entries(COURSES).map(([name, course]) => {
      const share = course(createRandom(seed));
      return {
        name,
        seed,
        rows: Array.from({ length: (SECONDS * 1000) / STEP_MS + 1 }, (_, index) => ({
          tMs: index * STEP_MS,
          othersBytes: Math.round(share((index * STEP_MS) / 1000) * limitBytes),
        })),
      };
    }),
  );
}

/**
 * Why a planner that knows the future could not keep the smallest model through a trace; null where it could. It holds the
 * smallest model all the time, so it survives where the smallest model always fits.
 */
export function reasonToReject(rows, { limitBytes, hardLimitRatio, ownBytes, smallestBytes }) {
  const needed = ownBytes + smallestBytes;
  const tight = rows.find(({ othersBytes }) => othersBytes + needed > hardLimitRatio * limitBytes);
  return tight === undefined
    ? null
    : `at ${(tight.tMs / 1000).toFixed(1)} s others take ${mib(tight.othersBytes)}, and the smallest model with its programs needs ${mib(needed)}`;
}

function mib(bytes) {
  return `${Math.round(bytes / 1024 ** 2)} MiB`;
}

/** Straight lines between points; level before the first and after the last. */
function curve(second, points) {
  const next = points.findIndex(([at]) => at > second);
  if (next === 0) return points[0][1];
  if (next === -1) return points.at(-1)[1];
  const [[at0, value0], [at1, value1]] = [points[next - 1], points[next]];
  return value0 + ((value1 - value0) * (second - at0)) / (at1 - at0);
}

function between(random, low, high) {
  return low + (high - low) * random();
}
