import { LOAD_CONFIG_FIELDS } from '@mai/memory-ledger';
import type { AutopilotPorts } from '../ports/autopilot-ports.js';
import type { CatalogPort, CatalogReading } from '../ports/catalog-port.js';
import type { Estimate, EstimateQuestion } from '../ports/estimator-port.js';
import type { Survey } from '../ports/monitor-port.js';
import { createAssemblyMemo, type ForgetfulMemo } from './assembly-memo.js';
import { ResidentCache } from './resident-cache.js';
import { isSameData } from '../same-data.js';

/**
 * Maximum age of surveys, and of estimates that prevent a load. Older ones are requested again if memory or the
 * residents have changed.
 */
const MAX_AGE_MS = 60_000;
/**
 * Maximum age of other estimates. A footprint does not depend on how much memory is free, but the free memory
 * of a desktop changes all the time. If these estimates were kept as briefly as surveys, LM Studio would be
 * asked each minute about every load option of every model.
 */
const FOOTPRINT_MAX_AGE_MS = 3_600_000;
/** Maximum age of a catalog reading: an edited configuration takes effect within this time. */
const CATALOG_MAX_AGE_MS = 2000;

/** The ports, with caches for readings that rarely change. */
export interface CachedPorts {
  /** `runtime` and `monitor` are passed through without a cache. */
  readonly ports: AutopilotPorts;
  readonly residents: ResidentCache;
  readonly memo: ForgetfulMemo;
  /** Call after a switch: drops all cached readings. */
  invalidate(): void;
}

/**
 * @param onCatalogRejected - called when the catalog cannot be read and the last reading stays in force.
 * @param onCatalogRead - called with each reading that comes from the catalog.
 */
export function cachePorts(
  ports: AutopilotPorts,
  onCatalogRejected: (error: unknown) => void,
  onCatalogRead: (reading: CatalogReading) => void,
): CachedPorts {
  const { clock } = ports;
  const residents = new ResidentCache(ports.runtime, clock);
  const isFresh = (madeAtMs: number, maxAgeMs = MAX_AGE_MS): boolean =>
    clock.monotonicMs() - madeAtMs < maxAgeMs || madeAtMs >= residents.changedAtMs;
  const memo = createAssemblyMemo(
    () => clock.monotonicMs(),
    (madeAtMs) => isFresh(madeAtMs),
    () => ports.estimator.revision?.() ?? 0,
  );
  const estimates = new Map<string, { readonly atMs: number; readonly answer: Estimate }>();
  const surveys = new Map<string | null, { readonly atMs: number; readonly survey: Survey }>();
  const catalog = cacheCatalog(ports, {
    onRejected: onCatalogRejected,
    onRead: onCatalogRead,
    // Another file may have been downloaded under the same model key.
    onChanged: () => estimates.clear(),
  });
  return {
    ports: {
      ...ports,
      catalog: catalog.port,
      estimator: {
        ...ports.estimator,
        estimate: async (question, options) => {
          const key = keyOf(question);
          const known = estimates.get(key);
          if (known !== undefined && isFresh(known.atMs, maxAgeOf(known.answer))) {
            return known.answer;
          }
          const atMs = clock.monotonicMs();
          const answer = await ports.estimator.estimate(question, options);
          estimates.set(key, { atMs, answer });
          return answer;
        },
      },
      survey: {
        survey: async (options) => {
          const known = surveys.get(options.deviceIdentifier);
          if (known !== undefined && isFresh(known.atMs)) return known.survey;
          const atMs = clock.monotonicMs();
          const survey = await ports.survey.survey(options);
          surveys.set(options.deviceIdentifier, { atMs, survey });
          return survey;
        },
      },
    },
    residents,
    memo,
    invalidate: () => {
      memo.forget();
      residents.forget();
      estimates.clear();
      surveys.clear();
      catalog.expire();
    },
  };
}

interface CachedReading {
  readonly atMs: number;
  readonly reading: CatalogReading;
  /** Whether the catalog was allowed to ask the runtime for this reading. */
  readonly askedRuntime: boolean;
}

/**
 * Refusals depend on the free memory, and unknown footprints may become known. Both are kept for the shorter
 * time.
 */
function maxAgeOf({ footprint, guardrails }: Estimate): number {
  const isObstacle = footprint === null || guardrails === 'refuse';
  return isObstacle ? MAX_AGE_MS : FOOTPRINT_MAX_AGE_MS;
}

function cacheCatalog(
  { catalog, clock }: AutopilotPorts,
  {
    onRejected,
    onRead,
    onChanged,
  }: {
    readonly onRejected: (error: unknown) => void;
    readonly onRead: (reading: CatalogReading) => void;
    readonly onChanged: () => void;
  },
): { readonly port: CatalogPort; expire(): void } {
  const readings = new Map<string, CachedReading>();
  const readLatest = async (
    options: Parameters<CatalogPort['read']>[0],
    known: CatalogReading | undefined,
  ): Promise<CatalogReading> => {
    try {
      const latest = await catalog.read(options);
      onRead(latest);
      // If the content is the same, return the cached object, because other caches compare readings by
      // identity.
      return known !== undefined && isSameData(known, latest) ? known : latest;
    } catch (error) {
      if (known === undefined || options.signal?.aborted === true) throw error;
      // No part of an invalid configuration is applied. The last valid configuration stays in force.
      onRejected(error);
      return known;
    }
  };
  return {
    port: {
      read: async (options) => {
        const { chain, modelKey = null, mayAskRuntime = true } = options;
        const key = JSON.stringify([chain, modelKey]);
        const known = readings.get(key);
        const atMs = clock.monotonicMs();
        const fresh = known !== undefined && atMs - known.atMs < CATALOG_MAX_AGE_MS;
        if (fresh && (known.askedRuntime || !mayAskRuntime)) return known.reading;
        const reading = await readLatest(options, known?.reading);
        if (known !== undefined && reading !== known.reading) onChanged();
        // The answer for an unknown model is not cached, because callers may ask for any name.
        if (modelKey !== null && reading.chain.length === 0) readings.delete(key);
        else readings.set(key, { atMs, reading, askedRuntime: mayAskRuntime });
        return reading;
      },
    },
    expire: () => {
      // Keep the readings as a fallback in case the next reading fails.
      for (const [key, known] of readings) {
        readings.set(key, { ...known, atMs: Number.NEGATIVE_INFINITY });
      }
    },
  };
}

/** A footprint depends on the machine's devices, not on their available memory. */
function keyOf({ modelKey, loadConfig, resources, deviceIdentifier }: EstimateQuestion): string {
  return JSON.stringify([
    modelKey,
    LOAD_CONFIG_FIELDS.map((field) => loadConfig[field]),
    deviceIdentifier,
    resources.unified,
    resources.gpus.map((gpu) => [gpu.deviceKey, gpu.totalBytes]),
  ]);
}
