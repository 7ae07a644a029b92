import type { Footprint, LoadConfig, LoadSpeed, Resources } from '@mai/memory-ledger';
import { DEFAULT_LOAD_CONFIG } from '@mai/memory-ledger';
import type { DecisionEpisode, MachineEvent, PoolOutcome } from '../../src/ports/control-facts.js';
import type { ControlPort, ControlWords, JournalFacts } from '../../src/ports/control-port.js';

export const GIB = 1024 ** 3;
export const LOADED = 'test/small';
const AT_MS = 1_900_000_000_000;

export const RESOURCES: Resources = {
  timestampMs: AT_MS,
  observable: true,
  ram: { totalBytes: 16 * GIB, availableBytes: 8 * GIB, mappedCountsAsUsed: false },
  unified: false,
  gpus: [
    {
      deviceKey: 'nvidia-0',
      name: 'RTX',
      vendor: 'nvidia',
      memory: 'dedicated',
      totalBytes: 8 * GIB,
      availableBytes: 7 * GIB,
    },
  ],
  cpu: { utilizationRatio: 0.2, othersRatio: 0.1 },
};

export const footprintOf = (bytes: number): Footprint => ({
  ram: { mappedBytes: bytes / 2, anonymousBytes: bytes / 2 },
  gpus: [],
  interval: { coverage: 0.9, lowBytes: bytes * 0.9, highBytes: bytes * 1.1 },
  growth: null,
  source: 'gguf-header',
  confidence: 'high',
});

/** 2,000 tokens at 800 a second take 2.5 s. */
export const SPEED: LoadSpeed = {
  decodeTokensPerSecond: { expected: 42, low: 30, high: 50 },
  promptTokensPerSecond: { expected: 800, low: 600, high: 1000 },
  loadMs: { expected: 3200, low: 2000, high: 5000 },
  measured: true,
};

const LOAD: LoadConfig = { ...DEFAULT_LOAD_CONFIG, contextLengthTokens: 8192 };

export const POOL: PoolOutcome = {
  pool: 'ram',
  totalBytes: 16 * GIB,
  othersBytes: 6 * GIB,
  useBeforeBytes: 8 * GIB,
  useAfterBytes: 8 * GIB,
  headroomBytes: 8 * GIB,
  limitBytes: 12 * GIB,
  hardLimitBytes: 15 * GIB,
  growthBytes: 0,
};

export function episodeOf(sequence: number, modelKey: string, reason = 'STEADY'): DecisionEpisode {
  return {
    record: {
      sequence,
      atMs: AT_MS + sequence * 1000,
      input: { resources: RESOURCES },
      selection: {
        decision: 'keep',
        direction: null,
        chosen: {
          candidateIndex: 0,
          modelKey,
          optionIndex: 0,
          loadOption: { loadConfig: LOAD, speed: SPEED, quality: 0.61 },
          footprint: footprintOf(2 * GIB),
        },
        plan: { steps: [{ action: 'unload', instanceIdentifier: 'mai/old' }] },
        pools: [POOL],
        headroomBytes: 8 * GIB,
        rejected: [
          { candidateIndex: 1, modelKey: 'test/large', rejection: { code: 'INSUFFICIENT_RAM' } },
        ],
      },
      hysteresis: { verdict: { act: false, reason } },
    },
    outcome: { outcome: 'switched', tookMs: 1200, failures: [] },
    untilMs: null,
  };
}

export const WORDS: ControlWords = {
  decisionIdOf: ({ atMs, sequence }) => `${atMs.toString(36)}-${sequence.toString(36)}`,
  explainRejection: ({ code }) => `is rejected: ${code}`,
  describeTradeOffs: (tradeOffs) => tradeOffs.map(({ kind }) => kind).join(' and '),
  explainEpisode: ({ record }) => ({
    headline: `kept ${record.selection.chosen?.modelKey ?? 'nothing'}`,
    sentences: [['Timing', 'there was nothing to do.']],
  }),
  describeObstacle: ({ kind }) => kind,
  poolLabel: (pool) => pool.toUpperCase(),
  formatCount: (count) => (count ?? 0).toLocaleString('en-US'),
  formatBytes: (bytes) => `${((bytes ?? 0) / GIB).toFixed(1)} GiB`,
};

/** A machine that a test controls. It records its changes and answers from fixed figures. */
export interface FakeMachine {
  readonly port: ControlPort;
  readonly calls: readonly (readonly [name: string, ...values: unknown[]])[];
  /** Hands an event to the reader of `events`. */
  emit(event: MachineEvent): void;
  /** The log, oldest first. */
  episodes: DecisionEpisode[];
  /** Thrown by every method but `events`, while it is set. */
  fails: unknown;
}

export function createFakeMachine(): FakeMachine {
  const calls: [string, ...unknown[]][] = [];
  const waiting: MachineEvent[] = [];
  let wake: () => void = () => undefined;
  const fake = {
    episodes: [episodeOf(1, LOADED), episodeOf(2, LOADED, 'DWELLING')],
    fails: null as unknown,
  };
  let journal: JournalFacts = { pins: [], yields: [] };
  const called = (name: string, ...values: unknown[]): void => {
    calls.push([name, ...values]);
    // Any value, as ports may throw it.
    // eslint-disable-next-line @typescript-eslint/only-throw-error
    if (fake.fails !== null) throw fake.fails;
  };
  const resident = { instanceIdentifier: 'mai/test/small', modelKey: LOADED };
  const profile = (modelKey: string) => ({
    modelKey,
    displayName: modelKey,
    tier: 'small' as const,
    capabilities: ['chat' as const],
    contextLengthTokens: 8192,
    maxContextLengthTokens: 32_768,
    loadConfig: LOAD,
    downloaded: true,
  });
  const figures = (contextLengthTokens: number, totalBytes: number) => ({
    loadConfig: {
      contextLengthTokens,
      kvCacheTypeK: 'f16' as const,
      kvCacheTypeV: 'f16' as const,
      flashAttention: false,
      parallelSequences: 1,
    },
    totalBytes,
  });
  const parts = {
    weightsBytes: GIB,
    kvCacheBytes: GIB / 2,
    recurrentStateBytes: 0,
    computeBytes: GIB / 4,
    outputBytes: 0,
    totalBytes: 1.75 * GIB,
  };

  const port: ControlPort = {
    status: async () => {
      called('status');
      return {
        runtime: {
          name: 'lmstudio',
          state: 'running',
          baseUrl: 'ws://127.0.0.1:1234',
          version: '0.4.21',
          isLocal: true,
        },
        resources: RESOURCES,
        trends: [{ pool: 'ram', trend: { direction: 'rising', timeToLimitMs: 60_000 } }],
        pools: [POOL],
        residents: [
          {
            ...resident,
            sizeBytes: GIB,
            contextLengthTokens: 8192,
            loadConfig: LOAD,
            ttlMs: null,
            lastUsedAtMs: null,
            queued: 0,
            footprint: footprintOf(2 * GIB),
            busy: false,
            foreign: false,
            exceedsGpus: false,
          },
        ],
        elsewhere: [],
        config: { source: 'built-in', file: null },
      };
    },
    resources: async () => {
      called('resources');
      return RESOURCES;
    },
    models: async (query) => {
      called('models', query);
      return {
        models: [
          {
            profile: profile(LOADED),
            footprint: footprintOf(2 * GIB),
            rejection: null,
            cheaper: null,
            sizeBytes: GIB,
            loaded: true,
            speed: SPEED,
            quality: 0.61,
          },
          {
            profile: profile('test/large'),
            footprint: footprintOf(20 * GIB),
            rejection: { code: 'INSUFFICIENT_RAM' },
            cheaper: {
              loadConfig: LOAD,
              footprint: footprintOf(8 * GIB),
              tradeOffs: [{ kind: 'shorter-context' }],
            },
            sizeBytes: null,
            loaded: false,
            speed: null,
            quality: null,
          },
        ],
        downloadedCount: 2,
        unusable: [{ path: 'a/b.gguf', modelKey: null, why: 'it is not a model' }],
      };
    },
    select: async (request) => {
      called('select', request);
      return {
        selection: episodeOf(1, LOADED).record.selection,
        input: {
          resources: RESOURCES,
          residents: [resident],
          candidates: [LOADED, 'test/large'].map((modelKey) => ({
            ...profile(modelKey),
            loadOptions: [
              {
                loadConfig: LOAD,
                footprint: footprintOf(2 * GIB),
                tradeOffs: [],
                speed: modelKey === LOADED ? SPEED : null,
                quality: modelKey === LOADED ? 0.61 : null,
              },
            ],
          })),
        },
        obstacle: null,
      };
    },
    estimate: async (request) => {
      called('estimate', request);
      return {
        title: request.model,
        basis: { kind: 'header' },
        report: {
          ...figures(request.settings?.contextLengthTokens ?? 8192, 2 * GIB),
          ram: { ...parts, repackBytes: GIB / 4 },
          gpus: [parts],
          interval: null,
        },
        maxContextLengthTokens: 32_768,
        byContextLength: [figures(4096, GIB), figures(8192, 2 * GIB)],
        fit: {
          footprint: footprintOf(2 * GIB),
          rejection: null,
          pools: [POOL],
          loadConfig: LOAD,
          resources: RESOURCES,
          cheaper: null,
        },
        corrected: null,
        lmStudio: { totalBytes: 2 * GIB },
      };
    },
    autopilotState: async () => {
      called('autopilotState');
      return {
        status: 'running',
        decision: {
          input: {
            residents: [
              {
                ...resident,
                footprint: footprintOf(2 * GIB),
                observation: { loadedAtMs: 1, processBytes: 1.5 * GIB, usedBefore: [] },
              },
            ],
          },
        },
        fault: null,
        breakerOpenUntilMs: null,
        putOffUntilMs: null,
        leased: [resident.instanceIdentifier],
        waiting: 0,
        idle: false,
      };
    },
    events: async (options) =>
      (async function* () {
        for (;;) {
          const next = waiting.shift();
          if (next !== undefined) yield next;
          else {
            await new Promise<void>((resolve) => {
              wake = resolve;
              options?.signal?.addEventListener('abort', () => resolve(), { once: true });
            });
            if (options?.signal?.aborted === true) return;
          }
        }
      })(),
    decisions: async (query = {}) => {
      called('decisions', query);
      const { count = 5, untilMs = Infinity, id } = query;
      const found = fake.episodes.filter(
        ({ record }) =>
          record.atMs <= untilMs && (id === undefined || WORDS.decisionIdOf(record) === id),
      );
      return { episodes: found.slice(-count), unreadable: [] };
    },
    journal: async () => {
      called('journal');
      return journal;
    },
    config: async () => ({
      config: { fallbackChains: { default: [], coding: [] }, switching: { growth: 'ignore' } },
    }),
    load: async (request) => {
      called('load', request);
      return {
        instance: { ...resident, loadConfig: LOAD },
        verified: [{ field: 'contextLengthTokens' }],
        reused: false,
        pinError: null,
      };
    },
    unload: async (request, options) => {
      called('unload', request, options?.dryRun);
      return { unloaded: [resident] };
    },
    pin: async (target, options) => {
      called('pin', target, options?.dryRun);
      if (options?.dryRun !== true) {
        journal = { ...journal, pins: [{ target, reason: 'pin', sinceMs: AT_MS }] };
      }
      return { journal };
    },
    unpin: async (request, options) => {
      called('unpin', request, options?.dryRun);
      return { journal, unpinned: journal.pins.map(({ target }) => target) };
    },
    yieldMemory: async (request, options) => {
      called('yieldMemory', request, options?.dryRun);
      const added = {
        name: request.name ?? 'by hand',
        bytes: request.bytes,
        pools: request.pools ?? 'all',
        sinceMs: AT_MS,
        untilMs: request.untilMs ?? null,
        processId: null,
      };
      if (options?.dryRun !== true) journal = { ...journal, yields: [added] };
      return { journal, yield: added, effect: null };
    },
    endYield: async (name, options) => {
      called('endYield', name, options?.dryRun);
      return { journal, released: journal.yields };
    },
  };
  return Object.assign(fake, {
    port,
    calls,
    emit: (event: MachineEvent) => {
      waiting.push(event);
      wake();
    },
  });
}

/** A round of the autopilot that keeps the loaded model. `id` names its record of the log. */
export function decidedAt(atMs: number, reason = 'STEADY', id: string | null = null): MachineEvent {
  const { selection } = episodeOf(1, LOADED).record;
  return {
    type: 'decided',
    id,
    atMs,
    input: {
      resources: RESOURCES,
      residents: [
        {
          instanceIdentifier: 'mai/test/small',
          modelKey: LOADED,
          footprint: footprintOf(2 * GIB),
          observation: null,
        },
      ],
    },
    selection,
    verdict: { act: false, reason },
  };
}
