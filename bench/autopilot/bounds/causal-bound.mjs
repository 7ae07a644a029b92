// The best policy that does not see the future: dynamic programming over a trace whose statistics are known exactly.
//
// Such a policy knows what no autopilot knows: the distribution of every next level of the others' use. It waits for no
// dwell time, no cool-down, no running request and no hard limit. So no autopilot is better on average, and its quality
// relative to the clairvoyant planner shows how much foresight is worth on a trace.
//
// Time advances in seconds. The state is the level of the others' use (in bins), the way that is held, and for how long
// that way has been above its limit, which counts for a dwell time as in the simulation's metric.
const BINS = 160;
const HORIZON_S = 5400;
const NONE = -1;

/**
 * @param transitions - from bin to bin, at each multiple of `everyS`: an array of rows that each add up to 1
 * @param fits - by way: the highest level in GiB at which it fits
 * @param price - what a switch costs, in seconds of the value of the way that is held
 */
export function bestCausalPolicy({ ways, lowGib, highGib, transitions, everyS, dwellS, price }) {
  const width = (highGib - lowGib) / BINS;
  const levelOf = (bin) => lowGib + (bin + 0.5) * width;
  const binOf = (gib) => Math.max(0, Math.min(BINS - 1, Math.floor((gib - lowGib) / width)));
  const rows = transitions(levelOf, BINS, binOf);
  const expect = (values) => {
    const result = new Float64Array(BINS);
    for (let from = 0; from < BINS; from += 1) {
      const { start, shares } = rows[from];
      let sum = 0;
      for (let at = 0; at < shares.length; at += 1) sum += shares[at] * values[start + at];
      result[from] = sum;
    }
    return result;
  };
  const fit = ways.map(({ highestGib }) =>
    Array.from({ length: BINS }, (_, bin) => levelOf(bin) <= highestGib),
  );
  const bothFit = ways.map((from) =>
    ways.map((to) => {
      const highest = Math.min(from.limitGib, to.limitGib) - from.neededGib - to.neededGib;
      return Array.from({ length: BINS }, (_, bin) => levelOf(bin) <= highest);
    }),
  );
  const steps = dwellS + 1;
  const longest = Math.max(...ways.map(({ loadS }) => loadS)) + 1;
  const zero = () => ways.map(() => Array.from({ length: steps }, () => new Float64Array(BINS)));
  // The values of the last seconds; `values[s % longest]` belongs to second s.
  const values = Array.from({ length: longest }, zero);
  let policy = null;
  for (let second = HORIZON_S - 1; second >= 0; second -= 1) {
    const now = zero();
    const crossings = (fromS, toS) => Math.floor(toS / everyS) - Math.floor(fromS / everyS);
    /** The expected value of a table `forS` seconds later, by the level now. */
    const later = (forS, read) => {
      let expected = read(values[(second + forS) % longest]);
      for (let left = crossings(second, second + forS); left > 0; left -= 1)
        expected = expect(expected);
      return expected;
    };
    const ready = ways.map(({ loadS }, way) =>
      second + loadS >= HORIZON_S ? new Float64Array(BINS) : later(loadS, (table) => table[way][0]),
    );
    const stay = ways.map((_, way) =>
      Array.from({ length: steps }, (_, over) => {
        if (second + 1 >= HORIZON_S) return new Float64Array(BINS);
        // Where the way fits after a second, the time above the limit starts anew. Elsewhere it grows by a second.
        const next = Math.min(dwellS, over + 1);
        const merged = (table) => {
          const values = new Float64Array(BINS);
          for (let bin = 0; bin < BINS; bin += 1) {
            values[bin] = fit[way][bin] ? table[way][0][bin] : table[way][next][bin];
          }
          return values;
        };
        return later(1, merged);
      }),
    );
    const last = second === 0 || second < everyS;
    if (second < everyS) policy ??= [];
    const chosen = ways.map(() =>
      Array.from({ length: steps }, () => new Int8Array(BINS).fill(NONE)),
    );
    for (let way = 0; way < ways.length; way += 1) {
      for (let over = 0; over < steps; over += 1) {
        for (let bin = 0; bin < BINS; bin += 1) {
          const isFit = fit[way][bin];
          const counts = isFit || over < dwellS;
          let most = (counts ? ways[way].quality : 0) + stay[way][isFit ? 0 : over][bin];
          let to = NONE;
          for (let other = 0; other < ways.length; other += 1) {
            if (other === way || !fit[other][bin]) continue;
            const meanwhile =
              isFit && bothFit[way][other][bin] ? ways[way].quality * ways[other].loadS : 0;
            const value = meanwhile + ready[other][bin] - price * ways[way].quality;
            if (value > most + 1e-9) {
              most = value;
              to = other;
            }
          }
          now[way][over][bin] = most;
          chosen[way][over][bin] = to;
        }
      }
    }
    values[second % longest] = now;
    if (last) policy[second] = chosen;
  }
  return { policy, binOf, ways, bothFit, everyS, dwellS };
}

/** Runs a policy over a trace with one level for each second. Returns its quality in seconds, and its switches. */
export function runCausalPolicy({ policy, binOf, ways, bothFit, everyS, dwellS }, levels) {
  let quality = 0;
  let switches = 0;
  let held = NONE;
  let over = 0;
  for (let second = 0; second < levels.length;) {
    const gib = levels[second];
    const isFit = (way) => gib <= ways[way].highestGib;
    if (held === NONE) {
      held = ways.findIndex((_, way) => isFit(way));
      second += held === NONE ? 1 : ways[held].loadS;
      continue;
    }
    const bin = binOf(gib);
    if (isFit(held)) over = 0;
    let to = policy[second % everyS][held][over][bin];
    if (to !== NONE && !isFit(to)) to = NONE;
    if (to === NONE) {
      if (over < dwellS) quality += ways[held].quality;
      if (!isFit(held)) over = Math.min(dwellS, over + 1);
      second += 1;
      continue;
    }
    const { loadS } = ways[to];
    const end = Math.min(levels.length, second + loadS);
    const both = isFit(held) && bothFit[held][to][bin];
    if (both) quality += ways[held].quality * (end - second);
    switches += 1;
    held = to;
    over = 0;
    second = end;
  }
  return { quality, switches };
}
