// Measures how long a placement takes beside a bare scan over the same states. Build first:
//   node bench/fleet/placement.mjs [--json]
import { parseArgs } from 'node:util';
import { DEFAULT_PLACEMENT_POLICY, placeRequest } from '@mai/fleet';
import { judge, printTable } from '../yardstick/report.mjs';
import { median, quantile } from '../yardstick/statistics.mjs';
import { createRandom } from '../yardstick/random.mjs';
import { knownHosts } from './states.mjs';

const TARGET_RATIO = 20;
const CHAIN = ['llama-3.3-70b', 'qwen3-30b-a3b', 'gpt-oss-20b', 'qwen3-8b'];
const COUNTS = [10, 100, 1_000, 10_000];
const { values: options } = parseArgs({ options: { json: { type: 'boolean', default: false } } });

const rows = COUNTS.flatMap((count) => [
  measure(count, 'sorted', knownHosts(count)),
  measure(count, 'shuffled', shuffled(knownHosts(count))),
]);
const judged = rows.filter(({ hosts }) => hosts === 1_000);
if (options.json) {
  const isMet = judged.every(({ ratio }) => ratio <= TARGET_RATIO);
  console.log(
    JSON.stringify({ schema: 'mai.bench.placement/1', targetRatio: TARGET_RATIO, isMet, rows }),
  );
} else {
  printTable(
    ['hosts', 'order', 'scan, us', 'placement, us', 'p95, us', 'ratio'],
    rows.map(({ hosts, order, scanUs, placementUs, placementP95Us, ratio }) => [
      hosts.toLocaleString('en'),
      order,
      scanUs.toFixed(1),
      placementUs.toFixed(1),
      placementP95Us.toFixed(1),
      ratio.toFixed(1),
    ]),
  );
  for (const { order, ratio } of judged) {
    judge(`a placement among 1,000 hosts (${order}), in bare scans`, ratio, TARGET_RATIO);
  }
}

/** Runs the scan and the placement in turns, each on the same states. `ratio` is the median of the pairs' ratios. */
function measure(count, order, hosts) {
  const input = {
    hosts,
    ownHost: hosts[0].state.host,
    request: {
      capabilities: ['chat'],
      minContextLengthTokens: 8_192,
      tiers: null,
      chain: 'default',
      modelKeys: CHAIN,
      instanceIdentifier: null,
      failed: [],
      promptTokens: 800,
      prefixKey: 'conversation',
    },
    recentSends: Array.from({ length: 20 }, (_, index) => ({
      host: hosts[index % count].state.host,
      modelKey: CHAIN[2],
      instanceIdentifier: null,
      heartbeat: { epoch: hosts[index % count].state.epoch, sequence: 40 },
      loading: false,
      agoMs: 300,
    })),
    policy: DEFAULT_PLACEMENT_POLICY,
  };
  const rounds = Math.max(40, Math.min(2_000, 300_000 / count));
  const [scans, placements, ratios] = [[], [], []];
  let sum = 0;
  for (let round = -rounds / 4; round < rounds; round += 1) {
    const startMs = performance.now();
    sum += bareScan(hosts);
    const scannedMs = performance.now();
    sum += placeRequest(input).alternatives.length;
    const placedMs = performance.now();
    if (round < 0) continue;
    scans.push(scannedMs - startMs);
    placements.push(placedMs - scannedMs);
    ratios.push((placedMs - scannedMs) / Math.max(1e-6, scannedMs - startMs));
  }
  if (sum === 0) throw new Error('Nothing was placed.');
  return {
    hosts: count,
    order,
    scanUs: median(scans) * 1_000,
    placementUs: median(placements) * 1_000,
    placementP95Us: quantile(placements, 0.95) * 1_000,
    ratio: median(ratios),
  };
}

/**
 * Least busy, as simply as it can be written: reads the load of each usable host, and looks through its models for a
 * resident of the chain. Allocates nothing.
 */
function bareScan(hosts) {
  let best = -1;
  let bestRunning = Infinity;
  for (let at = 0; at < hosts.length; at += 1) {
    const { usable, heartbeat, state } = hosts[at];
    if (!usable) continue;
    for (const model of state.models) {
      if (!CHAIN.includes(model.modelKey)) continue;
      for (const resident of model.residents) {
        const running = heartbeat.residents[resident.instanceIdentifier] ?? 0;
        if (running >= bestRunning) continue;
        bestRunning = running;
        best = at;
      }
    }
  }
  return best + 1;
}

function shuffled(hosts) {
  const random = createRandom(9);
  for (let at = hosts.length - 1; at > 0; at -= 1) {
    const other = Math.floor(random() * (at + 1));
    [hosts[at], hosts[other]] = [hosts[other], hosts[at]];
  }
  return hosts;
}
