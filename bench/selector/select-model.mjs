// Measures how long a decision takes, in units of the yardstick's fixed work. First for 50 candidates with 8
// load options each, then for up to 10,000 candidates. Build first:
//   node bench/selector/select-model.mjs
import { DEFAULT_LOAD_CONFIG, DEFAULT_SELECTION_POLICY } from '@mai/memory-ledger';
import { selectModel } from '@mai/selector';
import { judge, printTable } from '../yardstick/report.mjs';
import { takeTurns } from '../yardstick/take-turns.mjs';

const GIB = 1024 ** 3;
const POLICY = { ...DEFAULT_SELECTION_POLICY, foreign: 'evict-idle' };
const [TARGET_DECISION, TARGET_GROWTH] = [0.7, 3];
/** Short decisions are repeated, so that each measurement takes milliseconds. */
const COUNTS = [
  { count: 10, times: 20, rounds: 100 },
  { count: 100, times: 4, rounds: 100 },
  { count: 1_000, times: 1, rounds: 50 },
  { count: 10_000, times: 1, rounds: 15 },
];

const fifty = question(50);
const [decision] = await takeTurns([{ run: () => selectModel(fifty) }], {
  rounds: 600,
  warmUp: 100,
});
console.log(
  `50 candidates x 8 load options, where only the last fits: ${decision.medianMs.toFixed(3)} ms in the median, ${decision.p95Ms.toFixed(3)} ms at p95`,
);
judge('a decision, in units of fixed work', decision.ratio, TARGET_DECISION);

const growth = [];
for (const { count, times, rounds } of COUNTS) {
  const many = question(count);
  const run = () => {
    for (let time = 0; time < times; time += 1) selectModel(many);
  };
  const [{ medianMs, ratio }] = await takeTurns([{ run }], { rounds, warmUp: 10 });
  growth.push({ count, ms: medianMs / times, eachRatio: ratio / times / count });
}
console.log('');
printTable(
  ['candidates', 'ms', 'fixed work per 1,000 candidates'],
  growth.map(({ count, ms, eachRatio }) => [
    count.toLocaleString('en'),
    ms.toFixed(3),
    (1000 * eachRatio).toFixed(2),
  ]),
);
const per = (count) => growth.find((one) => one.count === count).eachRatio;
judge(
  'time per candidate with 10,000 candidates, against 100 candidates',
  per(10_000) / per(100),
  TARGET_GROWTH,
);

/** The worst case: only the last candidate fits, so every load option is checked. */
function question(count) {
  const loadConfig = { ...DEFAULT_LOAD_CONFIG, contextLengthTokens: 8192, offloadRatio: 1 };
  const footprint = (gib) => ({
    ram: { mappedBytes: gib * GIB, anonymousBytes: GIB },
    gpus: [{ deviceKey: 'GPU-1', bytes: gib * GIB }],
    interval: { coverage: 0.9, lowBytes: 0, highBytes: (2 * gib + 2) * GIB },
    growth: { ramBytes: 8 * GIB, gpus: [] },
    source: 'gguf-header',
    confidence: 'high',
  });
  return {
    candidates: Array.from({ length: count }, (_, index) => ({
      modelKey: `model-${index}`,
      displayName: `Model ${index}`,
      tier: 'medium',
      capabilities: ['chat'],
      downloaded: true,
      refusal: null,
      expandedFrom: null,
      maxContextLengthTokens: 32_768,
      coolingDownUntilMs: null,
      observedGrowth: [],
      loadOptions: Array.from({ length: 8 }, (_, option) => ({
        loadConfig: { ...loadConfig, contextLengthTokens: 8192 - option * 512 },
        footprint: footprint(index === count - 1 ? 1 : 100 - option),
        guardrails: null,
        speed: null,
        quality: null,
      })),
    })),
    requirement: { capabilities: ['chat'], minContextLengthTokens: 2048, tiers: null },
    resources: {
      timestampMs: 0,
      observable: true,
      ram: { totalBytes: 64 * GIB, availableBytes: 40 * GIB, mappedCountsAsUsed: false },
      unified: false,
      gpus: [
        {
          deviceKey: 'GPU-1',
          name: 'GPU',
          vendor: null,
          memory: 'dedicated',
          totalBytes: 24 * GIB,
          availableBytes: 20 * GIB,
        },
      ],
      cpu: { utilizationRatio: 0.1, othersRatio: 0.1 },
    },
    residents: Array.from({ length: 3 }, (_, index) => ({
      instanceIdentifier: `other-${index}`,
      modelKey: `other-${index}`,
      loadConfig,
      footprint: footprint(2),
      busy: false,
      idleInMs: null,
      speed: null,
      pinned: false,
      foreign: index === 0,
      lastUsedAtMs: index,
      observation: {
        loadedAtMs: index,
        processBytes: null,
        usedBefore: [{ pool: 'ram', bytes: (10 + 3 * index) * GIB }],
      },
    })),
    policy: POLICY,
  };
}
