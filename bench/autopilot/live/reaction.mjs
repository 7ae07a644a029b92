// Measures the time from the moment when use passes a limit until the smaller model answers. The real adapter talks
// to a simulated LM Studio over real sockets, in real time. The other programs take all of their memory at once.
import { createAutopilot, NO_ESTIMATE, systemClock } from '@mai/autopilot';
import { DEFAULT_LOAD_CONFIG, DEFAULT_SELECTION_POLICY } from '@mai/memory-ledger';
import { connect } from '@mai/lmstudio-adapter';
import { startSimulator } from '@mai/lmstudio-simulator';
import { setTimeout as sleep } from 'node:timers/promises';

const GIB = 1024 ** 3;
const TOTAL_BYTES = 32 * GIB;
const QUIET_BYTES = 6 * GIB;
// With the large model, 85 % of memory is then in use. This is above the limit and below the hard limit.
const BUSY_BYTES = 10.5 * GIB;
const MODELS = { 'reaction/large': 16 * GIB, 'reaction/small': 4 * GIB };
const POLICY = { ...DEFAULT_SELECTION_POLICY, dwellMs: 1000, coolDownMs: 1000 };
/** Interval at which a bare program reads memory. The reaction is compared with it. */
const PEER_POLL_MS = 150;

/**
 * For each run: `totalMs`; `ownMs`, the total without dwell, drain, unload and load; and `peerMs`, the time until a
 * bare program that reads memory every 150 ms sees use over the limit.
 */
export async function timeReactions(times) {
  const results = [];
  // Each run has a new autopilot, because after a swing of memory an autopilot waits minutes before it steps
  // up.
  for (let time = 0; time < times; time += 1) results.push(await timeReaction((time * 0.618) % 1));
  return results;
}

/** @param phase - when use passes the limit: 0 at one round of the autopilot, 1 at the next round */
async function timeReaction(phase) {
  const simulator = await startSimulator({
    speed: 50,
    world: {
      machine: { ramBytes: TOTAL_BYTES, othersRamBytes: 0, gpus: [] },
      models: Object.entries(MODELS).map(([modelKey, sizeBytes]) => ({ modelKey, sizeBytes })),
      guardrails: { mode: 'off' },
    },
  });
  const client = await connect({ baseUrl: simulator.baseUrl });
  const machine = { othersBytes: QUIET_BYTES };
  const autopilot = createAutopilot(portsOf(client, simulator, machine));
  const events = [];
  const reading = (async () => {
    for await (const event of autopilot.events) events.push(event);
  })();
  const until = async (holds) => {
    const giveUpAtMs = Date.now() + 30_000;
    while (!holds()) {
      if (Date.now() > giveUpAtMs) throw new Error('The autopilot did not react.');
      await sleep(2);
    }
  };
  const serves = (modelKey) => {
    const keys = simulator.residents().map((one) => one.modelKey);
    return keys.length === 1 && keys[0] === modelKey;
  };
  try {
    await autopilot.start();
    await until(() => autopilot.state.decision?.verdict.reason === 'STEADY');
    const peer = startPeer(() => machine.othersBytes === BUSY_BYTES);
    await sleep(1500 + 1000 * phase);
    events.length = 0;
    const passedMs = Date.now();
    machine.othersBytes = BUSY_BYTES;
    await until(() => serves('reaction/small'));
    const answersMs = Date.now();
    await until(() => events.some(({ type }) => type === 'switch-finished'));
    return { ...takeApart(events, passedMs, answersMs), peerMs: (await peer) - passedMs };
  } finally {
    await autopilot.stop();
    await reading;
    await client.close();
    await simulator.stop();
  }
}

/** Resolves to the time at which a bare loop sees that a condition holds. */
async function startPeer(holds) {
  while (!holds()) await sleep(PEER_POLL_MS);
  return Date.now();
}

function takeApart(events, passedMs, answersMs) {
  const steps = events.filter(({ type }) => type === 'switch-step');
  const at = (type, from = 0) =>
    steps.find(({ atMs, step }) => step.type === type && atMs >= from)?.atMs ?? answersMs;
  const unloading = at('unloading');
  const unloadMs = steps.find(({ step }) => step.type === 'unloaded')?.step.tookMs ?? 0;
  // An unload is over when the driver has given the memory back.
  const settlingMs = at('observing', at('settling', unloading)) - at('settling', unloading);
  const draining = at('draining');
  const drainMs = draining < unloading ? unloading - draining : 0;
  const loadMs = answersMs - at('loading');
  const totalMs = answersMs - passedMs;
  const { dwellMs } = POLICY;
  return { totalMs, ownMs: totalMs - dwellMs - drainMs - unloadMs - settlingMs - loadMs };
}

function portsOf(client, simulator, machine) {
  const ram = () => {
    const { mappedBytes, anonymousBytes } = simulator.memoryInUse().ram;
    const use = machine.othersBytes + mappedBytes + anonymousBytes;
    return { totalBytes: TOTAL_BYTES, availableBytes: TOTAL_BYTES - use, mappedCountsAsUsed: true };
  };
  const loadConfig = { ...DEFAULT_LOAD_CONFIG, contextLengthTokens: 4096 };
  const chain = Object.keys(MODELS).map((modelKey) => ({
    modelKey,
    displayName: modelKey,
    tier: modelKey.slice(9),
    capabilities: ['chat'],
    contextLengthTokens: 4096,
    maxContextLengthTokens: 4096,
    loadConfig,
    downloaded: true,
    refusal: null,
    fileStamp: null,
    expandedFrom: null,
    minMemoryBytes: null,
    minVramBytes: null,
    ttlMs: null,
  }));
  return {
    runtime: client,
    monitor: {
      snapshot: async () => ({
        timestampMs: Date.now(),
        observable: true,
        ram: ram(),
        unified: false,
        gpus: [],
        cpu: { utilizationRatio: 0.1, othersRatio: 0.1 },
      }),
      readRam: async () => ram(),
      settled: null,
    },
    survey: { survey: () => Promise.reject(new Error('This machine is local.')) },
    estimator: {
      estimate: async ({ modelKey }) => ({
        ...NO_ESTIMATE,
        footprint: {
          ram: { mappedBytes: 0, anonymousBytes: MODELS[modelKey] },
          gpus: [],
          interval: null,
          growth: null,
          source: 'configured',
          confidence: 'high',
        },
      }),
    },
    catalog: {
      read: async () => ({ chain, policy: POLICY, variants: {}, capability: null, whyEmpty: null }),
    },
    clock: systemClock,
    engines: null,
    runtimeIsLocal: true,
  };
}
