import { withinGpus, withLockedWeights, type LoadConfig, type Resources } from '@mai/memory-ledger';
import type { Resident } from '@mai/selector';
import { callOptions } from '../ports/call-options.js';
import type { EstimatorPort } from '../ports/estimator-port.js';
import type { RuntimeInstance } from '../ports/runtime-port.js';
import type { CatalogReading } from '../ports/catalog-port.js';
import { configuredFootprint } from './configured-footprint.js';
import { mapConcurrently } from './map-concurrently.js';
import { isBusy, loadConfigOf } from '../instances/instance-state.js';
import { isForeign, isNamedBy } from '../instances/ownership.js';
import type { CompleteRequest } from '../request/selection-request.js';

const ESTIMATES_AT_ONCE = 4;

/**
 * The instances on the device of the request, with their footprints. If nothing else is known about an instance, it has the
 * footprint that the configuration states for its model.
 */
export async function buildResidents(sources: {
  readonly estimator: EstimatorPort;
  readonly catalog: Pick<CatalogReading, 'chain'>;
  readonly instances: readonly RuntimeInstance[];
  readonly resources: Resources;
  readonly request: CompleteRequest;
  readonly nowMs: number;
  readonly signal: AbortSignal | null;
}): Promise<Resident[]> {
  const { request, resources, nowMs } = sources;
  const leased = new Set(request.leased);
  const residents = await mapConcurrently(
    // Instances on other devices take no memory of this device.
    sources.instances.filter((one) => one.deviceIdentifier === request.deviceIdentifier),
    ESTIMATES_AT_ONCE,
    async (instance) => {
      const loadConfig = loadConfigOf(instance);
      const { growthBySize, speedNow, ...estimate } = await sources.estimator.estimate(
        {
          modelKey: instance.modelKey,
          loadConfig,
          resources,
          deviceIdentifier: instance.deviceIdentifier,
        },
        callOptions(sources.signal, null),
      );
      const profile = sources.catalog.chain.find(({ modelKey }) => modelKey === instance.modelKey);
      const footprint =
        estimate.footprint ??
        (profile && configuredFootprint(profile, loadConfig, resources, growthBySize)) ??
        null;
      return {
        instanceIdentifier: instance.instanceIdentifier,
        modelKey: instance.modelKey,
        loadConfig: acceptedConfig(loadConfig, instance, request),
        asked: request.acceptedAs[instance.instanceIdentifier] ?? null,
        footprint:
          footprint !== null && instance.keepModelInMemory === true
            ? withLockedWeights(footprint)
            : footprint,
        idleInMs: null,
        speed: speedNow(),
        busy: leased.has(instance.instanceIdentifier) || isBusy(instance, nowMs),
        pinned: request.pinned.some((target) => isNamedBy(target, instance)),
        foreign: isForeign(instance),
        lastUsedAtMs: instance.lastUsedAtMs,
        observation: null,
      };
    },
  );
  const footprints = withinGpus(
    residents.map(({ footprint }) => footprint),
    resources,
  );
  return residents.map((one, i) => ({ ...one, footprint: footprints[i] ?? null }));
}

/** The requested load configuration if the instance meets the requirement; otherwise the instance's own. */
function acceptedConfig(
  loadConfig: LoadConfig,
  { instanceIdentifier }: RuntimeInstance,
  { acceptedAs, requirement }: CompleteRequest,
): LoadConfig {
  const asked = acceptedAs[instanceIdentifier];
  const required = requirement.minContextLengthTokens;
  const enough = required === null || (loadConfig.contextLengthTokens ?? 0) >= required;
  return asked !== undefined && enough ? asked : loadConfig;
}
