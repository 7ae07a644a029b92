// Host states for the benches of the fleet: what hosts with several models publish.
import { createRandom } from '../yardstick/random.mjs';

const MODELS = [
  ['llama-3.3-70b', 'large', 42, 6],
  ['qwen3-30b-a3b', 'large', 18, 60],
  ['gpt-oss-20b', 'medium', 12, 70],
  ['gemma-3-12b', 'medium', 8, 35],
  ['qwen3-8b', 'medium', 5, 55],
  ['llama-3.2-3b', 'small', 2.2, 110],
  ['qwen3-1.7b', 'small', 1.3, 180],
  ['nomic-embed', 'small', 0.3, 900],
];
const GB = 1e9;

/** Hosts with eight models each, as a reader knows them; sorted by name. The same seed gives the same hosts. */
export function knownHosts(count, seed = 1) {
  const random = createRandom(seed);
  return Array.from({ length: count }, (_, index) => knownHost(index, random));
}

function knownHost(index, random) {
  const host = `host-${String(index).padStart(5, '0')}`;
  const epoch = `epoch-${index}`;
  const power = 0.3 + 1.2 * random();
  const limitBytes = (8 + Math.floor(random() * 5) * 8) * GB;
  const resident = 1 + Math.floor(random() * (MODELS.length - 1));
  const models = MODELS.map(([modelKey, tier, gb, speed], at) => ({
    modelKey,
    displayName: modelKey,
    kind: tier === 'small' && speed > 500 ? 'embedding' : 'llm',
    digest: `sha256:${modelKey}`,
    tier,
    capabilities: speed > 500 ? ['embedding'] : ['chat', 'tools'],
    contextLengthTokens: 16_384,
    maxContextLengthTokens: 131_072,
    sizeBytes: gb * GB,
    fit: gb * GB > limitBytes ? 'no' : random() < 0.5 ? 'now' : 'after-eviction',
    speed: speedOf(speed * power, gb),
    quality: null,
    residents:
      at === resident && gb * GB <= limitBytes
        ? [
            {
              instanceIdentifier: `mai:${modelKey}`,
              contextLengthTokens: 16_384,
              footprintBytes: gb * GB,
              foreign: false,
              parallel: 4,
            },
          ]
        : [],
  }));
  const busy = Math.floor(random() * 4);
  const residents = Object.fromEntries(
    models
      .flatMap((model) => model.residents)
      .filter(() => busy > 0)
      .map(({ instanceIdentifier }) => [instanceIdentifier, busy]),
  );
  return {
    state: {
      host,
      epoch,
      revision: 7,
      address: `https://10.0.${index >> 8}.${index & 255}:8899`,
      versions: { mai: '0.1.0', runtime: 'lmstudio', runtimeVersion: '0.4.21' },
      labels: { site: 'attic' },
      pools: [{ pool: 'ram', totalBytes: limitBytes / 0.8, limitBytes }],
      models,
      chains: {},
      guests: { memoryRatio: 1 },
    },
    heartbeat: {
      host,
      epoch,
      sequence: 40,
      uptimeMs: 80_000,
      revision: 7,
      running: Object.values(residents).reduce((sum, one) => sum + one, 0),
      queued: 0,
      residents,
      pressureRatio: random(),
      ready: true,
    },
    silentMs: random() * 2_000,
    usable: random() > 0.02,
    kind: 'mai',
  };
}

function speedOf(decode, gb) {
  const range = (expected) => ({ expected, low: expected * 0.7, high: expected * 1.4 });
  return {
    decodeTokensPerSecond: range(decode),
    promptTokensPerSecond: range(decode * 12),
    loadMs: range(3_000 + gb * 700),
    measured: true,
  };
}
