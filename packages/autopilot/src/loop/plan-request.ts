import { selectModel, type Resident, type Selection } from '@mai/selector';
import { assembleSelectionInput } from '../assemble/assemble-selection-input.js';
import { buildCandidates } from '../assemble/build-candidates.js';
import type { AssembledInput } from '../assemble/join-footprints.js';
import { completeRequest } from '../request/selection-request.js';
import type { CachedPorts } from '../caching/cached-ports.js';
import type { RetryState } from '../failures/retry-state.js';
import type { GrowthWatch } from '../growth/growth-watch.js';
import { requirementOf, targetOf, type LeaseRequest } from '../request/lease-request.js';
import type { Leases } from '../leases/leases.js';
import { mergeRequirements } from '../leases/merge-requirements.js';
import type { TargetCatalog } from '../leases/target-catalog.js';
import { callOptions } from '../ports/call-options.js';
import type { IdleForecast } from '../timing/idle-forecast.js';
import { withoutRoom } from '../switch/narrow-input.js';
import type { AutopilotSettings } from '../autopilot-options.js';
import type { Decider } from './decider.js';

/** The outcome of a request if it were decided now. */
export interface LeasePlan {
  /** The resident that would serve at once; null where a model has to be loaded, or nothing fits. */
  readonly resident: Resident | null;
  readonly selection: Selection;
}

interface Sources {
  readonly cached: CachedPorts;
  readonly growth: GrowthWatch;
  readonly idle: IdleForecast;
  readonly leases: Leases;
  readonly targets: TargetCatalog;
  readonly retries: RetryState;
  readonly decider: Decider;
}

/** Decides for requests as a round would. Loads and unloads nothing. */
export class RequestPlanner {
  readonly #settings: AutopilotSettings;
  readonly #sources: Sources;

  constructor(settings: AutopilotSettings, sources: Sources) {
    this.#settings = settings;
    this.#sources = sources;
  }

  /**
   * @param observed - the input of the last observation; null before the first. The machine is then observed.
   * @throws the errors of the ports, unchanged
   */
  async plan(
    request: LeaseRequest,
    observed: AssembledInput | null,
    signal: AbortSignal | null,
  ): Promise<LeasePlan> {
    const settings = this.#settings;
    const { cached, leases, targets, growth, idle, retries, decider } = this.#sources;
    const { ports } = cached;
    const { deviceIdentifier, tradeOffs } = settings.request;
    const rules = settings.rules === null ? [] : await settings.rules(callOptions(signal, null));
    const target = leases.catalogTarget(targetOf(request));
    const asked = {
      chain: target?.chain ?? settings.request.chain ?? null,
      modelKey: target?.modelKey ?? null,
      requirement: mergeRequirements([...rules, requirementOf(request)]),
      deviceIdentifier: deviceIdentifier ?? null,
      tradeOffs: tradeOffs ?? true,
      coolingDownUntilMs: retries.coolDowns(observed?.resources ?? null),
    };
    const catalog = await targets.find(asked, signal);
    const base = observed ?? (await assembleSelectionInput(ports, asked, { signal }));
    const { resources, residents } = base;
    const built = await buildCandidates({
      estimator: ports.estimator,
      catalog,
      resources,
      signal,
      request: completeRequest(asked),
      countTried: null,
    });
    const nowMs = ports.clock.nowMs();
    // Leases may be newer than the observation.
    const withLeases = residents.map((one) =>
      leases.isLeased(one.instanceIdentifier) ? { ...one, busy: true } : one,
    );
    const candidates = built.map((one) => ({
      ...one,
      observedGrowth: growth.observedGrowth(one.modelKey, nowMs),
    }));
    const selection = selectModel({
      ...withoutRoom({ candidates }, retries.withoutRoom(resources)),
      requirement: asked.requirement,
      ...idle.forCallers({ residents: withLeases }, settings.timings),
      resources,
      policy: catalog.policy,
      upgradeMarginRatio: decider.upgradeMarginRatio,
      retained: residents.map((one) => one.instanceIdentifier),
    });
    return {
      resident: leases.find(request) ?? keptBy(selection, residents, leases, request),
      selection,
    };
  }
}

/** The resident that the decision keeps, where it meets the request. */
function keptBy(
  { decision, chosen }: Selection,
  residents: readonly Resident[],
  leases: Leases,
  request: LeaseRequest,
): Resident | null {
  if (decision !== 'keep' || chosen === null) return null;
  const kept = residents.find((one) => one.instanceIdentifier === chosen.instanceIdentifier);
  return kept !== undefined && leases.isMet(kept, request) ? kept : null;
}
