import type { Resources } from '@mai/memory-ledger';
import { NO_REQUIREMENT } from '@mai/selector';
import { joinFootprints, type AssembledInput } from '../assemble/join-footprints.js';
import { observeResources } from '../assemble/observe-resources.js';
import { completeRequest, type SelectionRequest } from '../request/selection-request.js';
import type { CachedPorts } from '../caching/cached-ports.js';
import type { GrowthWatch } from '../growth/growth-watch.js';
import { withGrowth } from '../assemble/with-growth.js';
import type { JournalReader } from '../journal/journal-reader.js';
import { requirementOf } from '../request/lease-request.js';
import type { Turn } from '../leases/lease.js';
import type { Leases } from '../leases/leases.js';
import { mergeRequirements, metTogether } from '../leases/merge-requirements.js';
import type { TargetCatalog } from '../leases/target-catalog.js';
import { callOptions } from '../ports/call-options.js';
import type { CatalogReading } from '../ports/catalog-port.js';
import type { RuntimeInstance } from '../ports/runtime-port.js';
import { reserveMemory, type YieldBaselines } from '../pools/reserve-memory.js';
import type { AutopilotSettings } from '../autopilot-options.js';
import type { SwitchExecutor } from '../execution/switch-executor.js';

/** Shared empty array: read every second, almost always empty. */
const NONE: readonly never[] = [];

interface Sources {
  readonly cached: CachedPorts;
  readonly journal: JournalReader;
  readonly leases: Leases;
  readonly targets: TargetCatalog;
  readonly executor: SwitchExecutor;
  readonly growth: GrowthWatch;
}

/** The input of a decision, with the readings behind it. */
export interface Observation {
  readonly input: AssembledInput;
  readonly instances: readonly RuntimeInstance[];
  /** The resources as they were measured, yielded memory included. */
  readonly measured: Resources;
  /** True when the runtime was asked for its residents; false when the last listing was used again. */
  readonly fresh: boolean;
}

/** The request of a turn, and the turn with the requests that the decision can meet together. */
export interface AskedFor {
  readonly request: SelectionRequest;
  readonly turn: Turn;
}

/** Observes the request, the machine and the residents for a decision, and subtracts yielded memory. */
export class Observer {
  readonly #settings: AutopilotSettings;
  readonly #sources: Sources;
  #baselines: YieldBaselines = {};
  #catalog: CatalogReading | null = null;

  constructor(settings: AutopilotSettings, sources: Sources) {
    this.#settings = settings;
    this.#sources = sources;
  }

  /** The request of a turn, extended by the rules and pins that apply now. */
  async request(turn: Turn, signal: AbortSignal): Promise<AskedFor> {
    const { request, rules } = this.#settings;
    const { journal, executor } = this.#sources;
    const asked = await this.#askedIn(turn, signal);
    const ruled = rules === null ? NONE : await rules({ signal });
    const { pins } = journal.journal;
    const pinned = request.pinned ?? NONE;
    return {
      turn: asked.turn,
      request: {
        ...asked.catalog,
        deviceIdentifier: request.deviceIdentifier ?? null,
        tradeOffs: request.tradeOffs ?? true,
        requirement: mergeRequirements([
          ...asked.first,
          ...ruled,
          ...asked.turn.requests.map(requirementOf),
        ]),
        pinned: pins.length === 0 ? pinned : [...pinned, ...pins.map((pin) => pin.target)],
        acceptedAs: executor.acceptedAs,
      },
    };
  }

  /** The question to the catalog in a turn, and the requirements that one decision can meet. */
  async #askedIn(turn: Turn, signal: AbortSignal) {
    const { request } = this.#settings;
    const { leases, targets } = this.#sources;
    const ownChain = request.chain ?? null;
    if (turn.target === null) {
      const first = [request.requirement ?? NO_REQUIREMENT];
      return { turn, first, catalog: { chain: ownChain, modelKey: null } };
    }
    const target = leases.catalogTarget(turn.target);
    if (target === null) return { turn, first: NONE, catalog: { chain: ownChain, modelKey: null } };
    const { chain } = await targets.find(target, signal);
    return {
      turn: { ...turn, requests: metTogether(turn.requests, chain) },
      first: NONE,
      catalog: { ...target, chain: target.chain ?? ownChain },
    };
  }

  /**
   * Observes once. The runtime is asked for its residents when local readings or the catalog have changed,
   * when the last listing is ten seconds old, and always when `steady` is false.
   */
  async observe(
    request: SelectionRequest,
    coolingDownUntilMs: Readonly<Record<string, number>>,
    { steady, signal }: { readonly steady: boolean; readonly signal: AbortSignal },
  ): Promise<Observation> {
    const { cached, journal, leases, growth } = this.#sources;
    const { ports, residents: cache, memo } = cached;
    const complete = completeRequest({ ...request, leased: leases.leased, coolingDownUntilMs });
    const measured = await observeResources(ports, complete.deviceIdentifier, signal);
    const changed = cache.observe(measured);
    const mayAskRuntime = changed || !steady;
    const catalog = await ports.catalog.read({
      ...callOptions(signal, null),
      chain: complete.chain,
      modelKey: complete.modelKey,
      mayAskRuntime,
    });
    const mustAsk = mayAskRuntime || catalog !== this.#catalog;
    this.#catalog = catalog;
    const recalled = mustAsk ? null : cache.recall();
    const instances = recalled ?? (await cache.list(measured, signal));
    const facts = { catalog, instances, resources: measured, request: complete };
    const fresh = recalled === null;
    const joined = await joinFootprints(ports, facts, { signal, memo, untilFit: false });
    const input = await withGrowth(ports, growth, { input: joined, facts, fresh }, signal);
    const { yields } = journal.journal;
    if (yields.length === 0) {
      this.#baselines = {};
      return { input, instances, measured, fresh };
    }
    const { resources, residents, baselines } = reserveMemory(input, yields, this.#baselines);
    this.#baselines = baselines;
    return { input: { ...input, resources, residents }, instances, measured, fresh };
  }
}
