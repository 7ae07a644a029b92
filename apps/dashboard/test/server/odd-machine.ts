import type {
  Answers,
  ChainStep,
  History,
  MemorySample,
  Resident,
  Status,
} from '../../src/api/api.generated.js';
import { GIB } from './models.js';
import { ScriptedMachine } from './scripted-machine.js';

type OddPool = History['pools'][number] & {
  readonly othersGib: number;
  readonly growthGib: number;
};
interface OddResident {
  readonly modelKey: string;
  /** GiB of each pool, in their order. */
  readonly gib: readonly number[];
  readonly exceedsGpus?: boolean;
}

/** A machine with figures and names that no usual machine has. */
export interface OddWorld {
  readonly pools: readonly OddPool[];
  readonly residents: readonly OddResident[];
  readonly modelKeys: readonly string[];
}

const pool = (
  name: OddPool['pool'],
  label: string,
  totalGib: number,
  othersGib: number,
  growthGib = 0,
): OddPool => ({
  pool: name,
  label,
  totalBytes: totalGib * GIB,
  othersGib,
  growthGib,
  limitBytes: totalGib * 0.85 * GIB,
  hardLimitBytes: totalGib * 0.95 * GIB,
});

/** 120 characters without a place to break the line, as names of files have. */
export const LONG_NAME =
  `publisher/${'Qwen3-Coder-480B-A35B-Instruct-Distill-Abliterated-GGUF-'.repeat(2)}`.slice(0, 120);
export const RIGHT_TO_LEFT = 'מודלים/דיקטה-שפה-2.0';
export const ARABIC = 'نماذج/جيس-٧-مليار';

/** Two cards, of which one is full to more than its size, memory held for growth, and 200 models. */
export const TWO_CARDS: OddWorld = {
  pools: [
    pool('ram', 'RAM', 1007.6, 0.0004, 12.5),
    pool('gpu:pci-0000:01:00.0', 'VRAM 1', 7.99, 0.31, 0.7),
    pool('gpu:pci-0000:41:00.0', 'VRAM 2', 79.6, 3.999),
  ],
  residents: [
    { modelKey: LONG_NAME, gib: [3.21, 8.6, 0], exceedsGpus: true },
    { modelKey: RIGHT_TO_LEFT, gib: [0.0009, 0, 41.05] },
    { modelKey: ARABIC, gib: [0.5, 0, 2] },
  ],
  modelKeys: [
    LONG_NAME,
    RIGHT_TO_LEFT,
    ARABIC,
    ...Array.from({ length: 197 }, (_, index) => `org/model-${index}-${'x'.repeat(index % 60)}`),
  ],
};

/** Memory that the processor and the graphics share, others that use nearly everything, and no model. */
export const UNIFIED: OddWorld = {
  pools: [pool('ram', 'Unified memory', 127.9, 126.4), pool('gpu-share:metal', 'GPU share', 96, 0)],
  residents: [],
  modelKeys: [],
};

const NO_CONFIG = {
  contextLengthTokens: 1_048_576,
  parallelSequences: 64,
  offloadRatio: 0.333,
  kvCacheTypeK: null,
  kvCacheTypeV: null,
  flashAttention: null,
  cpuExpertRatio: null,
};
const SLOW = { tokensPerSecond: 0.04, firstTokenMs: 812_345, loadMs: 72_000, measured: false };

/** Serves the page with the figures of an odd world. */
export class OddMachine extends ScriptedMachine {
  readonly #world: OddWorld;
  readonly #nowMs: number;

  constructor(world: OddWorld, nowMs: number) {
    super({ nowMs, nothing: world.modelKeys.length === 0 });
    this.#world = world;
    this.#nowMs = nowMs;
  }

  override status(): Status {
    const { pools, residents } = this.#world;
    const views = pools.map(({ othersGib, growthGib, ...one }, index) => {
      const used = residents.reduce((sum, { gib }) => sum + (gib[index] ?? 0), othersGib);
      const useBytes = (used + growthGib) * GIB;
      return {
        ...one,
        measured: true,
        useBytes,
        freeBytes: one.totalBytes - useBytes,
        othersBytes: othersGib * GIB,
        yieldedBytes: 0,
        growthBytes: growthGib * GIB,
        trend: null,
        residents: this.#takenOf(index),
      };
    });
    return {
      ...super.status(),
      pools: views,
      residents: residents.map((one) => this.#resident(one)),
    };
  }

  override history(): History {
    const { pools, residents } = this.#world;
    const sample = (atMs: number): MemorySample => ({
      atMs,
      // The share of a GPU in RAM is never sampled: RAM contains it.
      pools: pools.flatMap((one, index) => {
        if (one.pool.startsWith('gpu-share:')) return [];
        const used = residents.reduce((sum, { gib }) => sum + (gib[index] ?? 0), one.othersGib);
        return [
          {
            pool: one.pool,
            othersBytes: one.othersGib * GIB,
            yieldedBytes: 0,
            residents: this.#takenOf(index),
            freeBytes: Math.max(0, one.totalBytes - used * GIB),
          },
        ];
      }),
    });
    const samples = Array.from({ length: 90 }, (_, index) =>
      sample(this.#nowMs - (89 - index) * 10_000),
    );
    return {
      pools: pools.map(({ othersGib: _o, growthGib: _g, ...one }) => one),
      samples,
      switches: [],
    };
  }

  override models(): Answers['models'] {
    const given = super.models();
    const [first] = given.models;
    const [step] = given.chain.steps;
    if (this.#world.modelKeys.length === 0 || first === undefined || step === undefined)
      return given;
    const named = (modelKey: string) => ({
      modelKey,
      displayName: modelKey,
      downloaded: true,
      speed: SLOW,
      quality: 0.005,
      loaded: this.#world.residents.some((one) => one.modelKey === modelKey),
    });
    const pools = this.status().pools.map(({ useBytes, ...one }) => ({
      pool: one.pool,
      label: one.label,
      totalBytes: one.totalBytes,
      measured: one.measured,
      othersBytes: one.othersBytes,
      yieldedBytes: one.yieldedBytes,
      limitBytes: one.limitBytes,
      hardLimitBytes: one.hardLimitBytes,
      useBeforeBytes: useBytes,
      useAfterBytes: useBytes,
      headroomBytes: one.freeBytes,
    }));
    const steps = this.#world.modelKeys.slice(0, 6).map((modelKey, index): ChainStep => ({
      ...step,
      ...named(modelKey),
      loadConfig: NO_CONFIG,
      verdict: index === 0 ? 'chosen' : 'rejected',
      rejection:
        index === 0
          ? null
          : { code: 'INSUFFICIENT_VRAM', text: `needs 0.01 GiB more VRAM 1 beside ${LONG_NAME}` },
      tradeOffs:
        index === 0 ? 'a KV cache of q4_0, 4,096 instead of 1,048,576 tokens of context' : null,
    }));
    const models = this.#world.modelKeys.map((modelKey) => ({ ...first, ...named(modelKey) }));
    return {
      ...given,
      chain: {
        ...given.chain,
        name: 'default',
        names: ['default', RIGHT_TO_LEFT, LONG_NAME],
        steps,
        pools,
      },
      models,
      downloadedCount: models.length,
      unusable: [
        { modelKey: LONG_NAME, reason: 'the file ends in the middle of tensor 511 of 512' },
      ],
    };
  }

  override queue(): Answers['queue'] {
    return {
      lanes: this.#world.residents.map(({ modelKey }) => ({
        modelKey,
        instanceIdentifier: `mai/${modelKey}`,
        running: 1234,
        draining: true,
      })),
      waiting: 1024,
      oldestWaitMs: 3_723_000,
      loading: { modelKey: LONG_NAME, progressRatio: 0.999 },
      lastMinute: {
        requests: 123_456,
        failures: 99_999,
        promptTokens: 9_876_543_210,
        outputTokens: 1,
        medianFirstByteMs: 72_400,
      },
    };
  }

  #takenOf(index: number) {
    return this.#world.residents.flatMap(({ modelKey, gib }) => {
      const bytes = (gib[index] ?? 0) * GIB;
      return bytes === 0 ? [] : [{ instanceIdentifier: `mai/${modelKey}`, bytes }];
    });
  }

  #resident({ modelKey, gib, exceedsGpus = false }: OddResident): Resident {
    return {
      instanceIdentifier: `mai/${modelKey}`,
      modelKey,
      contextLengthTokens: 1_048_576,
      loadConfig: NO_CONFIG,
      sizeBytes: GIB,
      footprint: null,
      measuredRamBytes: null,
      pools: this.#world.pools.map((one, index) => ({
        pool: one.pool,
        bytes: (gib[index] ?? 0) * GIB,
      })),
      busy: true,
      queued: 7,
      foreign: true,
      pinned: true,
      leased: true,
      lastUsedAtMs: null,
      ttlMs: null,
      exceedsGpus,
    };
  }
}
