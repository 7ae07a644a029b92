// Measures the time of a simulated day and of a decision of a running autopilot, in turns with the yardstick.
import { performance } from 'node:perf_hooks';
import { DEFAULT_LOAD_CONFIG, DEFAULT_SELECTION_POLICY } from '@mai/memory-ledger';
import { createAutopilot, NO_ESTIMATE, systemClock } from '@mai/autopilot';
import { SCENARIO_MODELS, SCENARIOS, simulate } from '@mai/simulation';
import { timeFixedWork } from '../yardstick/fixed-work.mjs';
import { median, quantile } from '../yardstick/statistics.mjs';
import { takeTurns } from '../yardstick/take-turns.mjs';

const GIB = 1024 ** 3;
const DECISIONS = 2000;

/** A day of the scenario library: `medianMs`, and `ratio` to the fixed work. */
export async function timeDay() {
  const scenario = SCENARIOS.find(({ name }) => name === 'working-day');
  const trace = scenario.trace(2);
  const run = () =>
    simulate({ trace, models: SCENARIO_MODELS, limits: DEFAULT_SELECTION_POLICY, seed: 2 });
  // The fixed work before and after takes at least a twentieth of the simulated day's time, so other programs
  // slow down both.
  const [day] = await takeTurns([{ run }], { rounds: 3, yardstick: () => timeFixedWork(200) });
  return day;
}

/**
 * The time from reading the machine to the decision: `medianMs`, `p95Ms`, and `ratio` to the fixed work. There are eight models with all of their load options, and memory changes before every decision.
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
        ...NO_ESTIMATE,
        footprint: footprintOf(modelKey, loadConfig),
      }),
    },
    catalog: {
      read: async () => ({
        chain,
        policy: DEFAULT_SELECTION_POLICY,
        variants: {},
        capability: null,
        whyEmpty: null,
      }),
    },
    clock: systemClock,
    engines: null,
    runtimeIsLocal: true,
    timings: { observeIntervalMs: 1 },
  });
  const timesMs = [];
  const ratios = [];
  let fixedWorkMs = timeFixedWork();
  await autopilot.start();
  for await (const event of autopilot.events) {
    if (event.type !== 'decided') continue;
    const ms = performance.now() - readAtMs;
    timesMs.push(ms);
    ratios.push(ms / fixedWorkMs);
    if (timesMs.length === DECISIONS) break;
    if (timesMs.length % 20 === 0) fixedWorkMs = timeFixedWork();
  }
  await autopilot.stop();
  return {
    medianMs: median(timesMs),
    p95Ms: quantile(timesMs, 0.95),
    ratio: median(ratios),
  };
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
    loadConfig: { ...DEFAULT_LOAD_CONFIG, contextLengthTokens: 32_768 },
    ttlMs: null,
    downloaded: true,
    refusal: null,
    fileStamp: null,
    expandedFrom: null,
  };
}

function footprintOf(modelKey, { contextLengthTokens, kvCacheTypeK }) {
  const sizeGib = 18 - 2 * Number(modelKey.at(-1));
  const kvGib = ((contextLengthTokens ?? 4096) / 16_384) * (kvCacheTypeK === null ? 1 : 0.5);
  return {
    ram: { mappedBytes: sizeGib * GIB, anonymousBytes: kvGib * GIB },
    gpus: [],
    interval: null,
    growth: null,
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
    variant: null,
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
