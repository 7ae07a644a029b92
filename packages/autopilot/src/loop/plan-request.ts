import { NO_REQUIREMENT, selectModel, type Resident, type Selection } from '@mai/selector';
import { assembleSelectionInput } from '../assemble/assemble-selection-input.js';
import { buildCandidates } from '../assemble/build-candidates.js';
import type { AssembledInput } from '../assemble/join-footprints.js';
import { completeRequest } from '../assemble/selection-request.js';
import type { GrowthWatch } from '../growth/growth-watch.js';
import { requirementOf, targetOf, type LeaseRequest } from '../leases/lease-request.js';
import type { Leases } from '../leases/leases.js';
import { mergeRequirements } from '../leases/merge-requirements.js';
import type { TargetCatalog } from '../leases/target-catalog.js';
import type { AutopilotPorts } from '../ports/autopilot-ports.js';
import type { IdleForecast } from '../timing/idle-forecast.js';
import type { AutopilotSettings } from './autopilot-options.js';

/** The outcome of a request if it were decided now. */
export interface LeasePlan {
  /** The resident that would serve at once; null where a model has to be loaded, or nothing fits. */
  readonly resident: Resident | null;
  readonly selection: Selection;
}

interface Sources {
  readonly ports: AutopilotPorts;
  readonly settings: AutopilotSettings;
  /** The last observation; null before the first. */
  readonly observed: AssembledInput | null;
  readonly growth: GrowthWatch;
  readonly idle: IdleForecast;
  readonly leases: Leases;
  readonly targets: TargetCatalog;
  readonly coolDowns: Readonly<Record<string, number>>;
  readonly upgradeMarginRatio: number;
  readonly signal: AbortSignal | null;
}

/**
 * Decides for a request as a round would, from the last observation. Loads and unloads nothing.
 *
 * @throws the errors of the catalog, unchanged
 */
export async function planRequest(request: LeaseRequest, sources: Sources): Promise<LeasePlan> {
  const { ports, settings, leases, targets, growth, idle, coolDowns, signal } = sources;
  const { deviceIdentifier, tradeOffs } = settings.request;
  const rules =
    settings.rules === null ? [] : await settings.rules({ ...(signal === null ? {} : { signal }) });
  const [first = NO_REQUIREMENT, ...others] = [...rules, requirementOf(request)];
  const target = leases.catalogTarget(targetOf(request));
  const asked = {
    chain: target?.chain ?? settings.request.chain ?? null,
    modelKey: target?.modelKey ?? null,
    requirement: mergeRequirements([first, ...others]),
    deviceIdentifier: deviceIdentifier ?? null,
    tradeOffs: tradeOffs ?? true,
    coolingDownUntilMs: coolDowns,
  };
  const catalog = await targets.find(asked, signal);
  const base = sources.observed ?? (await assembleSelectionInput(ports, asked, { signal }));
  const { resources, residents } = base;
  const built = await buildCandidates({
    ...{ estimator: ports.estimator, catalog, resources, signal },
    request: completeRequest(asked),
    countTried: null,
  });
  const nowMs = ports.clock.nowMs();
  // Leases may be newer than the observation.
  const withLeases = residents.map((one) =>
    leases.isLeased(one.instanceIdentifier) ? { ...one, busy: true } : one,
  );
  const selection = selectModel({
    candidates: built.map((one) => ({
      ...one,
      observedGrowth: growth.observedGrowth(one.modelKey, nowMs),
    })),
    requirement: asked.requirement,
    ...idle.forCallers({ residents: withLeases }, settings.timings),
    ...{ resources, policy: catalog.policy, upgradeMarginRatio: sources.upgradeMarginRatio },
    retained: residents.map((one) => one.instanceIdentifier),
  });
  return {
    resident: leases.find(request) ?? keptBy(selection, residents, leases, request),
    selection,
  };
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
