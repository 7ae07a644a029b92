import {
  charge,
  measurePools,
  useOf,
  type Charge,
  type Footprint,
  type Pool,
  type Resources,
  type SelectionPolicy,
} from '@mai/memory-ledger';
import type { TraceEvent, TraceRow } from '../trace/trace.js';

const keyOf = (gpuIndex: number): string => `simulated:${gpuIndex}`;

/** The machine of a row without LM Studio, as a resource monitor would report it. */
export function resourcesOfRow(row: TraceRow): Resources {
  const left = (totalBytes: number, othersBytes: number): number =>
    Math.max(0, totalBytes - othersBytes);
  return {
    timestampMs: row.tMs,
    observable: true,
    ram: {
      totalBytes: row.ram.totalBytes,
      availableBytes: left(row.ram.totalBytes, row.ram.othersBytes),
      mappedCountsAsUsed: false,
    },
    unified: row.gpus.length > 0 && row.gpus.every((gpu) => gpu.unified),
    gpus: row.gpus.map(({ totalBytes, othersBytes, unified }, index) => ({
      deviceKey: keyOf(index),
      name: `GPU ${index}`,
      vendor: null,
      memory: unified ? 'shared' : 'dedicated',
      totalBytes,
      // Use of a shared GPU by others is part of the RAM figure.
      availableBytes: unified ? null : left(totalBytes, othersBytes),
    })),
    cpu: { utilizationRatio: row.cpuOthersRatio, othersRatio: row.cpuOthersRatio },
  };
}

/**
 * The pools of a row. `ours` is the charge of the residents. Other programs and models that were loaded by hand
 * count as others.
 */
export function poolsOfRow(
  row: TraceRow,
  policy: SelectionPolicy,
  { ours, foreign }: { readonly ours: Charge; readonly foreign: Charge },
): readonly Pool[] {
  return measurePools(resourcesOfRow(row), [], policy).map((pool) => ({
    ...pool,
    // Read from the row, because the available memory is 0 both when memory is full and when it has run out.
    othersBytes: othersOf(row, pool) + (foreign.get(pool.name) ?? 0),
    residentBytes: ours.get(pool.name) ?? 0,
  }));
}

function othersOf(row: TraceRow, { name, othersBytes }: Pool): number {
  if (name === 'ram') return row.ram.othersBytes;
  return row.gpus.find((_, index) => name === `gpu:${keyOf(index)}`)?.othersBytes ?? othersBytes;
}

/**
 * The resources of a machine in which `pools` are in use. The available memory of a lost GPU is `null`.
 *
 * @param empty - the resources without LM Studio.
 */
export function resourcesInUse(
  empty: Resources,
  pools: readonly Pool[],
  gpusLost: ReadonlySet<number>,
  timestampMs: number,
): Resources {
  const left = (name: string): number | null => {
    const pool = pools.find((one) => one.name === name);
    return pool === undefined ? null : Math.max(0, pool.totalBytes - useOf(pool));
  };
  return {
    ...empty,
    timestampMs,
    ram: { ...empty.ram, availableBytes: left('ram') },
    gpus: empty.gpus.map((gpu, index) => ({
      ...gpu,
      availableBytes: gpusLost.has(index) ? null : left(`gpu:${gpu.deviceKey}`),
    })),
  };
}

/** Bytes that a simulated load takes. */
interface LoadBytes {
  readonly footprintBytes: number;
  readonly vramBytes: number;
}

/**
 * The footprint of a load on a machine, without an error interval. `vramBytes` are split over the GPUs with
 * memory of their own in proportion to their size, as llama.cpp splits layers. Without such a GPU they are RAM.
 */
export function footprintOf(
  { footprintBytes, vramBytes }: LoadBytes,
  { gpus }: Pick<Resources, 'gpus'>,
): Footprint {
  const dedicated = gpus.filter((gpu) => gpu.memory === 'dedicated');
  const totalBytes = dedicated.reduce((sum, gpu) => sum + (gpu.totalBytes ?? 0), 0);
  if (totalBytes === 0) return exactFootprint(footprintBytes, []);
  return exactFootprint(
    footprintBytes - vramBytes,
    dedicated.map(({ deviceKey, totalBytes: bytes }) => ({
      deviceKey,
      bytes: (vramBytes * (bytes ?? 0)) / totalBytes,
    })),
  );
}

/** The footprint of a model that a person loads by hand. */
export function foreignFootprint(
  event: Extract<TraceEvent, { type: 'foreignLoad' }>,
  { gpus }: Pick<TraceRow, 'gpus'>,
): Footprint {
  const firstDedicated = Math.max(
    0,
    gpus.findIndex((gpu) => !gpu.unified),
  );
  const deviceKey = keyOf(event.gpu ?? firstDedicated);
  return exactFootprint(event.ramBytes, [{ deviceKey, bytes: event.vramBytes }]);
}

/** The bytes that a footprint takes of each pool at the load. Footprints of the simulation have no error interval. */
export function chargeOf(footprint: Footprint, resources: Resources): Charge {
  return charge(footprint, resources, 'expected', 'ignore').charge;
}

function exactFootprint(anonymousBytes: number, gpus: Footprint['gpus']): Footprint {
  return {
    ram: { mappedBytes: 0, anonymousBytes },
    gpus,
    interval: null,
    growth: null,
    source: 'measured',
    confidence: 'high',
  };
}
