// How long a simulated day takes, and a decision of an autopilot that runs.
import { performance } from 'node:perf_hooks';
import { createAutopilot, systemClock } from '@mai/autopilot';
import { SCENARIO_MODELS, SCENARIOS, simulate } from '@mai/simulation';
import { LIMITS } from './limits.mjs';

const GIB = 1024 ** 3;
const DECISIONS = 2000;

/** Milliseconds for a day of the scenario library, the fastest of three: other programs only slow it down. */
export async function timeDay() {
  const scenario = SCENARIOS.find(({ name }) => name === 'working-day');
  const trace = scenario.trace(2);
  const times = [];
  for (let run = 0; run < 3; run += 1) {
    const startedMs = performance.now();
    await simulate({ trace, models: SCENARIO_MODELS, limits: LIMITS, seed: 2 });
    times.push(performance.now() - startedMs);
  }
  return Math.min(...times);
}

/**
 * From the reading of the machine to the decision, in milliseconds: eight models with all the rungs of
 * their ladders, and a machine whose memory is never the same twice.
 */
export async function timeDecision() {
  const chain = Array.from({ length: 8 }, (_, index) => profileOf(index));
  const loaded = new Map();
  let readAtMs = 0;
  let round = 0;
  const readings = {
    snapshot: async () => {
      readAtMs = performance.now();
      round += 1;
      return resources(6 * GIB + (round % 97) * 1e6, [...loaded.values()]);
    },
    readRam: null,
    settled: null,
  };
  const autopilot = createAutopilot({
    runtime: {
      listResidents: async () => [...loaded.values()].map(({ instance }) => instance),
      load: async ({ modelKey, loadConfig, identifier }) => {
        const footprint = footprintOf(modelKey, loadConfig);
        const instance = instanceOf(modelKey, loadConfig, identifier);
        loaded.set(identifier, { instance, footprint });
        return { instance, verified: [] };
      },
      unload: async (identifier) => {
        loaded.delete(identifier);
      },
    },
    monitor: readings,
    survey: { survey: () => Promise.reject(new Error('This machine is local.')) },
    estimator: {
      estimate: async ({ modelKey, loadConfig }) => ({
        footprint: footprintOf(modelKey, loadConfig),
        guardrails: null,
      }),
    },
    catalog: { read: async () => ({ chain, policy: LIMITS, variants: {} }) },
    clock: systemClock,
    runtimeIsLocal: true,
    timings: { observeIntervalMs: 1 },
  });
  const tookMs = [];
  await autopilot.start();
  for await (const event of autopilot.events) {
    if (event.type !== 'decided') continue;
    tookMs.push(performance.now() - readAtMs);
    if (tookMs.length === DECISIONS) break;
  }
  await autopilot.stop();
  tookMs.sort((one, other) => one - other);
  return { medianMs: tookMs[DECISIONS / 2], p95Ms: tookMs[Math.floor(DECISIONS * 0.95)] };
}

function profileOf(index) {
  return {
    modelKey: `bench/model-${index}`,
    displayName: `Model ${index}`,
    tier: index < 3 ? 'large' : index < 6 ? 'medium' : 'small',
    capabilities: ['chat'],
    contextLengthTokens: 32_768,
    maxContextLengthTokens: 131_072,
    minMemoryBytes: null,
    minVramBytes: null,
    loadConfig: {
      contextLengthTokens: 32_768,
      parallelSequences: null,
      offloadRatio: null,
      kvCacheTypeK: null,
      kvCacheTypeV: null,
      flashAttention: null,
      cpuExpertRatio: null,
    },
    ttlMs: null,
    downloaded: true,
  };
}

function footprintOf(modelKey, { contextLengthTokens, kvCacheTypeK }) {
  const sizeGib = 18 - 2 * Number(modelKey.at(-1));
  const kvGib = ((contextLengthTokens ?? 4096) / 16_384) * (kvCacheTypeK === null ? 1 : 0.5);
  return {
    ram: { mappedBytes: sizeGib * GIB, anonymousBytes: kvGib * GIB },
    gpus: [],
    interval: null,
    source: 'gguf-header',
    confidence: 'medium',
  };
}

function instanceOf(modelKey, loadConfig, instanceIdentifier) {
  return {
    instanceIdentifier,
    modelKey,
    sizeBytes: GIB,
    contextLengthTokens: loadConfig.contextLengthTokens,
    maxContextLengthTokens: 131_072,
    ttlMs: null,
    lastUsedAtMs: null,
    deviceIdentifier: null,
    activity: 'idle',
    queued: 0,
    loadConfig,
    keepModelInMemory: null,
  };
}

function resources(othersBytes, instances) {
  const totalBytes = 32 * GIB;
  const usedBytes = instances.reduce(
    (sum, { footprint }) => sum + footprint.ram.anonymousBytes,
    othersBytes,
  );
  return {
    timestampMs: Date.now(),
    observable: true,
    ram: { totalBytes, availableBytes: totalBytes - usedBytes, mappedCountsAsUsed: false },
    unified: false,
    gpus: [],
    cpu: { utilizationRatio: 0.1, othersRatio: 0.1 },
  };
}
