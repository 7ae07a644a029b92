import type { Requirement } from '@mai/selector';
import { assembleWithMemo, type AssembledInput } from '../assemble/assemble-selection-input.js';
import type { SelectionRequest } from '../assemble/selection-request.js';
import { reserveMemory, type YieldBaselines } from '../yields/reserve-memory.js';
import type { AutopilotSettings } from './autopilot-options.js';
import type { CachedPorts } from './cached-ports.js';
import type { JournalKeeper } from './journal-keeper.js';
import type { LeaseDesk } from './leases.js';
import { mergeRequirements } from './merge-requirements.js';
import type { SwitchDesk } from './switch-desk.js';

const NOTHING_REQUIRED: Requirement = {
  capabilities: [],
  minContextLengthTokens: null,
  tiers: null,
};

const NOTHING: readonly never[] = [];

/** What a look at the world depends on. */
interface Sources {
  readonly cached: CachedPorts;
  readonly journal: JournalKeeper;
  readonly leases: LeaseDesk;
  readonly switches: SwitchDesk;
}

/** Looks at the world for a decision: what is asked for now, and what there is less what is yielded. */
export class Observer {
  readonly #settings: AutopilotSettings;
  readonly #sources: Sources;
  #baselines: YieldBaselines = {};

  constructor(settings: AutopilotSettings, sources: Sources) {
    this.#settings = settings;
    this.#sources = sources;
  }

  async request(signal: AbortSignal): Promise<SelectionRequest> {
    const { request, rules } = this.#settings;
    const { journal, leases, switches } = this.#sources;
    const own = request.requirement ?? NOTHING_REQUIRED;
    const ruled = rules === null ? NOTHING : await rules({ signal });
    const { pins } = journal.journal;
    const pinned = request.pinned ?? NOTHING;
    return {
      chain: request.chain ?? null,
      deviceIdentifier: request.deviceIdentifier ?? null,
      ladder: request.ladder ?? true,
      requirement:
        ruled.length + leases.requirements.length === 0
          ? own
          : mergeRequirements([own, ...ruled, ...leases.requirements]),
      pinned: pins.length === 0 ? pinned : [...pinned, ...pins.map((pin) => pin.target)],
      leased: leases.leased,
      acceptedAs: switches.acceptedAs,
    };
  }

  async observe(
    request: SelectionRequest,
    coolingDownUntilMs: Readonly<Record<string, number>>,
    { calm, signal }: { readonly calm: boolean; readonly signal: AbortSignal },
  ): Promise<AssembledInput> {
    const { cached, journal, leases } = this.#sources;
    const observed = await assembleWithMemo(
      calm ? cached.calmPorts : cached.ports,
      { ...request, leased: leases.leased, coolingDownUntilMs },
      { signal, memo: cached.memo },
    );
    const { yields } = journal.journal;
    if (yields.length === 0) {
      this.#baselines = {};
      return observed;
    }
    const { resources, residents } = observed;
    const reservation = reserveMemory(resources, residents, yields, this.#baselines);
    this.#baselines = reservation.baselines;
    return { ...observed, resources: reservation.resources };
  }
}
