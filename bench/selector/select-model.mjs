// How long a decision takes: 50 candidates of 8 load options, and how the cost grows up to 10,000.
// Run with: npm run bench:selector
import { selectModel } from '@mai/selector';

const GIB = 1024 ** 3;
const POLICY = {
  memoryLimitRatio: 0.8,
  vramLimitRatio: 0.9,
  cpuLimitRatio: 0.8,
  hardLimitRatio: 0.92,
  unifiedHardLimitRatio: 0.85,
  upgradeBelowRatioMin: 0.65,
  minHeadroomBytes: GIB,
  dwellMs: 20_000,
  coolDownMs: 60_000,
  foreign: 'evict-idle',
  foreignIdleMs: 600_000,
};

const fifty = question(50);
const decide50 = distribution(() => selectModel(fifty), 2_000);
console.log(
  `50 candidates x 8 load options, nothing fits before the last: median ${ms(decide50.median)}, p99 ${ms(decide50.p99)}`,
);

console.log('\ncandidates   median   per candidate');
for (const count of [10, 100, 1_000, 10_000]) {
  const many = question(count);
  const { median } = distribution(() => selectModel(many), count > 1_000 ? 20 : 200);
  const each = `${((median / count) * 1e6).toFixed(0)} ns`;
  console.log(`${String(count).padStart(10)} ${ms(median).padStart(9)} ${each.padStart(15)}`);
}

/** The worst case: every option is worked out, and only the last candidate fits. */
function question(count) {
  const loadConfig = {
    contextLengthTokens: 8192,
    parallelSequences: null,
    offloadRatio: 1,
    kvCacheTypeK: null,
    kvCacheTypeV: null,
    flashAttention: null,
    cpuExpertRatio: null,
  };
  const footprint = (gib) => ({
    ram: { mappedBytes: gib * GIB, anonymousBytes: GIB },
    gpus: [{ deviceKey: 'GPU-1', bytes: gib * GIB }],
    interval: { coverage: 0.9, lowBytes: 0, highBytes: (2 * gib + 2) * GIB },
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
      maxContextLengthTokens: 32_768,
      coolingDownUntilMs: null,
      loadOptions: Array.from({ length: 8 }, (_, rung) => ({
        loadConfig: { ...loadConfig, contextLengthTokens: 8192 - rung * 512 },
        footprint: footprint(index === count - 1 ? 1 : 100 - rung),
        guardrails: null,
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
      pinned: false,
      foreign: index === 0,
      lastUsedAtMs: index,
    })),
    policy: POLICY,
  };
}

function distribution(work, runs) {
  for (let i = 0; i < Math.min(runs, 200); i += 1) work();
  const times = [];
  for (let i = 0; i < runs; i += 1) {
    const start = performance.now();
    work();
    times.push(performance.now() - start);
  }
  times.sort((a, b) => a - b);
  return { median: times[times.length >> 1], p99: times[Math.floor(times.length * 0.99)] };
}

function ms(value) {
  return `${value.toFixed(3)} ms`;
}
