import { createAssemblyMemo, type AssemblyMemo } from '../assemble/assembly-memo.js';
import { isSameData } from '../assemble/same-data.js';
import type { AutopilotPorts } from '../ports/autopilot-ports.js';
import type { CatalogReading } from '../ports/catalog-port.js';
import type { Estimate, EstimateQuestion } from '../ports/estimator-port.js';
import type { RuntimeInstance, RuntimePort } from '../ports/runtime-port.js';

/** An answer this old is asked for again: a load has been measured, a file was replaced. */
const ESTIMATE_FRESH_MS = 60_000;
/** A configuration that is edited takes effect this soon. */
const CATALOG_FRESH_MS = 2000;

/** Residents this old will do for a look at a calm machine: nothing is done on the strength of them. */
const RESIDENTS_FRESH_MS = 2000;

/** Ports that ask for what hardly changes once in a while only, and a way to ask anew. */
export interface CachedPorts {
  readonly ports: AutopilotPorts;
  /** The same with residents that may be two seconds old. */
  readonly calmPorts: AutopilotPorts;
  readonly memo: AssemblyMemo;
  /** Something was loaded or failed to: estimates and what is downloaded may have changed. */
  invalidate(): void;
}

/**
 * The loop decides every second; the ladder of a chain asks for dozens of estimates each time.
 *
 * @param onCatalogRejected - told when the catalog can't be read and the last reading stays in force.
 */
export function cachePorts(
  ports: AutopilotPorts,
  onCatalogRejected: (error: unknown) => void,
): CachedPorts {
  const { clock } = ports;
  const estimates = new Map<string, { readonly atMs: number; readonly answer: Estimate }>();
  const memo = createAssemblyMemo(() => clock.monotonicMs(), ESTIMATE_FRESH_MS);
  const catalogs = new Map<string, { readonly atMs: number; readonly reading: CatalogReading }>();
  let listed: { readonly atMs: number; readonly answer: readonly RuntimeInstance[] } | null = null;
  const listResidents: RuntimePort['listResidents'] = async (options) => {
    const answer = await ports.runtime.listResidents(options);
    listed = { atMs: clock.monotonicMs(), answer };
    return answer;
  };
  const listResidentsLately: RuntimePort['listResidents'] = async (options) =>
    listed !== null && clock.monotonicMs() - listed.atMs < RESIDENTS_FRESH_MS
      ? listed.answer
      : listResidents(options);
  const withResidents = (list: RuntimePort['listResidents']): RuntimePort => ({
    listResidents: list,
    load: (request) => ports.runtime.load(request),
    unload: (instanceIdentifier, options) => ports.runtime.unload(instanceIdentifier, options),
  });
  const cached: AutopilotPorts = {
    ...ports,
    runtime: withResidents(listResidents),
    estimator: {
      estimate: async (question, options) => {
        const key = keyOf(question);
        const known = estimates.get(key);
        const nowMs = clock.monotonicMs();
        if (known !== undefined && nowMs - known.atMs < ESTIMATE_FRESH_MS) return known.answer;
        const answer = await ports.estimator.estimate(question, options);
        estimates.set(key, { atMs: nowMs, answer });
        return answer;
      },
    },
    catalog: {
      read: async (options) => {
        const key = JSON.stringify(options.chain);
        const known = catalogs.get(key);
        const nowMs = clock.monotonicMs();
        if (known !== undefined && nowMs - known.atMs < CATALOG_FRESH_MS) return known.reading;
        let reading: CatalogReading;
        try {
          reading = await ports.catalog.read(options);
        } catch (error) {
          if (known === undefined || options.signal?.aborted === true) throw error;
          // A configuration is applied whole or not at all: the last sound one stays in force.
          onCatalogRejected(error);
          reading = known.reading;
        }
        // A reading that says the same is the same: what was built from it still holds.
        if (known === undefined || known.reading === reading) {
          catalogs.set(key, { atMs: nowMs, reading });
          return reading;
        }
        if (isSameData(known.reading, reading)) reading = known.reading;
        catalogs.set(key, { atMs: nowMs, reading });
        return reading;
      },
    },
  };
  return {
    memo,
    invalidate: () => {
      memo.forget();
      listed = null;
      estimates.clear();
      // Kept for when the next reading fails, and never fresh.
      for (const [key, { reading }] of catalogs) {
        catalogs.set(key, { atMs: Number.NEGATIVE_INFINITY, reading });
      }
    },
    ports: cached,
    calmPorts: { ...cached, runtime: withResidents(listResidentsLately) },
  };
}

/** A footprint depends on what the machine has, not on what is left of it. */
function keyOf({ modelKey, loadConfig, resources, deviceIdentifier }: EstimateQuestion): string {
  return JSON.stringify([
    modelKey,
    loadConfig.contextLengthTokens,
    loadConfig.parallelSequences,
    loadConfig.offloadRatio,
    loadConfig.kvCacheTypeK,
    loadConfig.kvCacheTypeV,
    loadConfig.flashAttention,
    loadConfig.cpuExpertRatio,
    deviceIdentifier,
    resources.unified,
    resources.gpus.map((gpu) => [gpu.deviceKey, gpu.totalBytes]),
  ]);
}
