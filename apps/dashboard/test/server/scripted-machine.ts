import type {
  Answers,
  Change,
  Event as ControlEvent,
  Explanation,
  Fleet,
  History,
  MemorySample,
  Pin,
  Resident,
  Status,
  SwitchMark,
  Yield,
} from '../../src/api/api.generated.js';
import { storyFleet, type MemberFleet } from './fleet-story.js';
import { configured, footprintOf, GPU, loadConfigOf, modelOf } from './models.js';
import { modelsAnswer, whatIfAnswer } from './model-answers.js';
import {
  FOREIGN,
  identifierOf,
  LARGE,
  makeSample,
  othersAt,
  poolChanges,
  POOLS,
  sampleAt,
  storyDecisions,
  storySwitches,
  takenBy,
} from './story.js';

/** How a machine begins. */
export interface MachineOptions {
  readonly lmStudioOff?: boolean;
  /** No model on the disk, no decision, no autopilot. */
  readonly nothing?: boolean;
  /** With `nothing`: a configured folder of models that does not exist. */
  readonly missingFolder?: string;
  /** Serves without a fleet. */
  readonly noFleet?: boolean;
  /** The GPU's total is known, and its use is not measured. */
  readonly gpuUnmeasured?: boolean;
  /** The moment that the story ends at. */
  readonly nowMs?: number;
}

/** An event without its id. */
type Draft = ControlEvent extends infer One
  ? One extends ControlEvent
    ? Omit<One, 'id' | 'atMs'>
    : never
  : never;

/** The state behind the test server. The tests change it through its methods. */
export class ScriptedMachine {
  #resident: readonly string[];
  #busy = new Set<string>();
  #pins: readonly Pin[];
  #yields: readonly Yield[] = [];
  #samples: readonly MemorySample[];
  #switches: readonly SwitchMark[];
  #decisions: readonly Explanation[];
  #listeners = new Set<(event: ControlEvent) => void>();
  #count = 0;
  #waiting = 0;
  #fleet: Fleet;
  readonly #startedAtMs: number;
  readonly #options: MachineOptions;

  constructor(options: MachineOptions = {}) {
    const nowMs = options.nowMs ?? Date.now();
    const { lmStudioOff = false, nothing = false } = options;
    this.#options = options;
    this.#startedAtMs = nowMs;
    this.#fleet = options.noFleet === true ? { state: 'none' } : storyFleet(nowMs);
    const quiet = lmStudioOff || nothing;
    this.#resident = quiet ? [] : [FOREIGN, LARGE];
    this.#samples = Array.from({ length: 450 }, (_, index) =>
      quiet
        ? makeSample(nowMs - (449 - index) * 2000, othersAt(3000 + index), [])
        : sampleAt(nowMs, (449 - index) * 2),
    );
    this.#switches = quiet ? [] : storySwitches(nowMs);
    this.#decisions = quiet ? [] : storyDecisions(nowMs);
    this.#pins = quiet
      ? []
      : [{ target: 'google/gemma-3-4b', reason: 'pin', sinceMs: nowMs - 86_400_000 }];
  }

  onEvent(listener: (event: ControlEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  emit(draft: Draft): void {
    this.#count += 1;
    const event: ControlEvent = { ...draft, id: `e.${this.#count}`, atMs: Date.now() };
    for (const listener of this.#listeners) listener(event);
  }

  /** A new reading of the memory. */
  sample(others: readonly [number, number] = othersAt(0)): void {
    const sample = makeSample(Date.now(), others, this.#resident);
    this.#samples = [...this.#samples, sample];
    this.emit({ type: 'sample', sample });
  }

  /** Replaces Mai's model. */
  switchTo(modelKey: string, reason: string, text: string): void {
    const unloaded = this.#resident.filter((one) => one !== FOREIGN);
    this.#resident = [FOREIGN, modelKey];
    const [first] = this.#decisions;
    if (first !== undefined) {
      const number = 34 + this.#decisions.length;
      const told = { modelKey, reason, headline: text, acted: true, atMs: Date.now() };
      this.#decisions = [{ ...first, ...told, id: `k3f9x2-${number}` }, ...this.#decisions];
    }
    const mark: SwitchMark = {
      atMs: Date.now(),
      tookMs: 2100,
      reason,
      outcome: 'switched',
      loaded: [modelKey],
      unloaded,
      text,
    };
    this.#switches = [...this.#switches, mark];
    this.emit({ type: 'switch-finished', mark });
    this.sample();
  }

  wait(waiting: number): void {
    this.#waiting = waiting;
    this.emit({ type: 'queue', running: 1, waiting, loading: null });
  }

  fleet(): Fleet {
    return this.#fleet;
  }

  /** Changes the fleet, as a heartbeat or a placed request does. */
  changeFleet(change: (fleet: MemberFleet) => MemberFleet): void {
    if (this.#fleet.state === 'member') this.#fleet = change(this.#fleet);
    this.emit({ type: 'fleet' });
  }

  status(): Status {
    const { lmStudioOff = false, nothing = false } = this.#options;
    const others = this.#others();
    return {
      atMs: Date.now(),
      gateway: { startedAtMs: this.#startedAtMs },
      runtime: lmStudioOff
        ? {
            name: 'lmstudio',
            state: 'off',
            message: 'Nothing listens at ws://127.0.0.1:1234.',
          }
        : {
            name: 'lmstudio',
            state: 'running',
            isLocal: true,
            baseUrl: 'ws://127.0.0.1:1234',
            version: '0.4.21',
          },
      autopilot: nothing
        ? null
        : {
            status: 'running',
            fault: null,
            putOffUntilMs: null,
            breakerOpenUntilMs: null,
            idle: false,
            waiting: 0,
            leased: [],
          },
      pools: poolChanges(others, this.#resident, this.#resident).map((pool, index) => ({
        pool: pool.pool,
        label: pool.label,
        totalBytes: pool.totalBytes,
        measured: this.#isMeasured(index),
        othersBytes: pool.othersBytes,
        yieldedBytes: pool.yieldedBytes,
        useBytes: pool.useAfterBytes,
        growthBytes: 0,
        freeBytes: pool.headroomBytes,
        limitBytes: pool.limitBytes,
        hardLimitBytes: pool.hardLimitBytes,
        residents: this.#resident.map((modelKey) => ({
          instanceIdentifier: identifierOf(modelKey),
          bytes: takenBy(modelKey)[index === 0 ? 0 : 1],
        })),
        trend: null,
      })),
      residents: this.#resident.map((modelKey) => this.#describe(modelKey)),
      elsewhere: [],
      cpu: { utilizationRatio: 0.18, othersRatio: 0.06 },
      gpus: [
        {
          deviceKey: GPU,
          name: 'NVIDIA GeForce RTX 4070',
          vendor: 'nvidia',
          memory: 'dedicated',
          totalBytes: POOLS[1].totalBytes,
          availableBytes: null,
        },
      ],
      observable: true,
      pins: [...this.#pins],
      yields: [...this.#yields],
      config: { source: 'default', file: null },
    };
  }

  history(): History {
    return {
      pools: [...POOLS],
      samples: this.#samples.map((sample) =>
        this.#options.gpuUnmeasured === true
          ? { ...sample, pools: sample.pools.slice(0, 1) }
          : sample,
      ),
      switches: [...this.#switches],
    };
  }

  #isMeasured(pool: number): boolean {
    return pool === 0 || this.#options.gpuUnmeasured !== true;
  }

  models(): Answers['models'] {
    const { nothing = false, missingFolder } = this.#options;
    const answer = modelsAnswer(this.#others(), this.#resident, nothing, missingFolder);
    const pools = answer.chain.pools.map((pool, index) => ({
      ...pool,
      measured: this.#isMeasured(index),
    }));
    return { ...answer, chain: { ...answer.chain, pools } };
  }

  whatIf(query: URLSearchParams): Answers['whatIf'] | null {
    return whatIfAnswer(query, this.#others());
  }

  explain(): Explanation | null {
    return this.#decisions[0] ?? null;
  }

  decision(id: string): Explanation | null {
    return this.#decisions.find((one) => one.id === id) ?? null;
  }

  decisions(query: URLSearchParams): Answers['decisions'] {
    const words = (query.get('search') ?? '').toLowerCase().split(/\s+/);
    const before = query.get('before');
    const limit = Number(query.get('limit') ?? '50');
    const found = this.#decisions.filter((one) =>
      words.every((word) => `${one.headline} ${one.reason}`.toLowerCase().includes(word)),
    );
    const from = before === null ? 0 : Number(before.split('-')[0]);
    const shown = found.slice(from, from + limit);
    const next = from + shown.length < found.length ? `${from + shown.length}-0` : null;
    return {
      decisions: shown.map(
        ({ sentences: _, pools: _pools, headroomBytes: _free, rejected: _no, ...rest }) => {
          const {
            unloads: _unloads,
            failures: _failures,
            speed: _speed,
            quality: _quality,
            ...summary
          } = rest;
          return summary;
        },
      ),
      next,
      unreadableLines: 0,
    };
  }

  queue(): Answers['queue'] {
    const served = this.#resident.includes(LARGE);
    return {
      lanes: served
        ? [
            {
              modelKey: LARGE,
              instanceIdentifier: identifierOf(LARGE),
              running: 1,
              draining: false,
            },
          ]
        : [],
      waiting: this.#waiting,
      oldestWaitMs: this.#waiting > 0 ? 1400 : 0,
      loading: null,
      lastMinute: {
        requests: served ? 14 : 0,
        failures: 0,
        promptTokens: served ? 38_400 : 0,
        outputTokens: served ? 3180 : 0,
        medianFirstByteMs: served ? 410 : null,
      },
    };
  }

  /** Explains a change, and makes it unless it is a dry run. Null: nothing has the requested name. */
  change(name: string, body: Readonly<Record<string, unknown>>): Change | null {
    const dryRun = body['dryRun'] === true;
    const target = typeof body['target'] === 'string' ? body['target'] : '';
    const would = (done: string, planned: string) => (dryRun ? planned : done);
    switch (name) {
      case 'pin': {
        const pin: Pin = { target, reason: 'pin', sinceMs: Date.now() };
        const pins = [...this.#pins, pin];
        if (!dryRun) this.#pins = pins;
        const modelKey = target.replace(/^mai\//, '');
        return this.#changed('pin', dryRun, {
          summary: would(`${modelKey} is pinned.`, `${modelKey} stays loaded until you unpin it.`),
          pins,
        });
      }
      case 'unpin': {
        const pins = this.#pins.filter((one) => one.target !== target);
        if (!dryRun) this.#pins = pins;
        return this.#changed('unpin', dryRun, {
          summary: would(`${target} is unpinned.`, `${target} may be unloaded again.`),
          pins,
        });
      }
      case 'yield': {
        const bytes = Number(body['bytes']);
        const kept: Yield = {
          name: 'by hand',
          bytes,
          pools: 'all',
          sinceMs: Date.now(),
          untilMs: null,
          processId: null,
        };
        const yields = [...this.#yields, kept];
        if (!dryRun) this.#yields = yields;
        return this.#changed('yield', dryRun, {
          summary: would('The memory is kept free.', 'Mai keeps this much memory free for others.'),
          yields,
        });
      }
      case 'yield/end': {
        const yields = this.#yields.filter((one) => one.name !== body['name']);
        if (!dryRun) this.#yields = yields;
        return this.#changed('end-yield', dryRun, { summary: 'The yield ends.', yields });
      }
      case 'unload': {
        const gone = this.#resident.find((one) => identifierOf(one) === target);
        if (gone === undefined) return null;
        return this.#replace('unload', dryRun, gone, null);
      }
      case 'load': {
        const model = typeof body['model'] === 'string' ? modelOf(body['model']) : undefined;
        if (model === undefined) return null;
        const gone = this.#resident.find((one) => one !== FOREIGN) ?? null;
        return this.#replace('load', dryRun, gone, model.modelKey);
      }
      default:
        return null;
    }
  }

  #replace(
    action: 'load' | 'unload',
    dryRun: boolean,
    gone: string | null,
    loaded: string | null,
  ): Change {
    const after = [...this.#resident.filter((one) => one !== gone), ...(loaded ? [loaded] : [])];
    const pools = [...poolChanges(this.#others(), this.#resident, after)];
    const model = loaded === null ? undefined : modelOf(loaded);
    if (!dryRun) this.#resident = after;
    const freed = gone === null ? 0 : takenBy(gone)[0] + takenBy(gone)[1];
    const words = [
      ...(gone === null ? [] : [`${gone} ${dryRun ? 'is unloaded' : 'was unloaded'}`]),
      ...(loaded === null ? [] : [`${loaded} ${dryRun ? 'is loaded and pinned' : 'was loaded'}`]),
    ];
    const change = this.#changed(action, dryRun, {
      summary: `${words.join(', and ')}.`,
      possible: pools.every((one) => one.useAfterBytes <= one.limitBytes),
      loads:
        model === undefined
          ? []
          : [
              {
                modelKey: model.modelKey,
                instanceIdentifier: null,
                loadConfig: loadConfigOf(model),
                footprint: footprintOf(model, configured(model), false),
              },
            ],
      unloads:
        gone === null
          ? []
          : [{ modelKey: gone, instanceIdentifier: identifierOf(gone), freesBytes: freed }],
      pools,
    });
    if (!dryRun) this.sample();
    return change;
  }

  #changed(
    action: Change['action'],
    dryRun: boolean,
    facts: Partial<Change> & { summary: string },
  ): Change {
    if (!dryRun) this.emit({ type: 'journal', pins: [...this.#pins], yields: [...this.#yields] });
    return {
      action,
      dryRun,
      possible: true,
      loads: [],
      unloads: [],
      pools: [],
      warnings: [],
      pins: [...this.#pins],
      yields: [...this.#yields],
      ...facts,
    };
  }

  #others(): readonly [number, number] {
    const last = this.#samples.at(-1);
    return [last?.pools[0]?.othersBytes ?? 0, last?.pools[1]?.othersBytes ?? 0];
  }

  #describe(modelKey: string): Resident {
    const model = modelOf(modelKey);
    const identifier = identifierOf(modelKey);
    const [ram, vram] = takenBy(modelKey);
    return {
      instanceIdentifier: identifier,
      modelKey,
      contextLengthTokens: model?.contextLengthTokens ?? 2048,
      loadConfig: {
        contextLengthTokens: model?.contextLengthTokens ?? 2048,
        parallelSequences: null,
        offloadRatio: null,
        kvCacheTypeK: null,
        kvCacheTypeV: null,
        flashAttention: null,
        cpuExpertRatio: null,
      },
      sizeBytes: ram + vram,
      footprint: model === undefined ? null : footprintOf(model, configured(model), true),
      measuredRamBytes: null,
      pools: POOLS.map(({ pool }, index) => ({ pool, bytes: index === 0 ? ram : vram })),
      busy: this.#busy.has(modelKey) || modelKey === LARGE,
      queued: null,
      foreign: modelKey === FOREIGN,
      pinned: this.#pins.some(({ target }) => target === identifier || target === modelKey),
      leased: false,
      lastUsedAtMs: null,
      ttlMs: null,
      exceedsGpus: false,
    };
  }
}
