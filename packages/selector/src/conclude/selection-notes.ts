import {
  hasOwnMemory,
  type Charge,
  type Footprint,
  type GpuResources,
  type Resources,
} from '@mai/memory-ledger';
import type { SelectionInput } from '../input.js';
import { findTooSlow } from '../offer/eligibility.js';
import { compareValues, type SearchOrder } from '../search/search-order.js';
import type { Chosen, PoolOutcome, Selection, SelectionNote } from '../selection.js';

/** Collects the facts that explain a decision. */
export function noteSelection(
  { candidates, resources, residents, policy }: SelectionInput,
  { chosen, pools }: { readonly chosen: Selection['chosen']; readonly pools: Selection['pools'] },
  needed: Charge,
  order: SearchOrder,
): readonly SelectionNote[] {
  const notes: SelectionNote[] = [];
  if (!resources.observable) notes.push({ code: 'RESOURCES_NOT_OBSERVABLE' });
  else if (resources.ram.availableBytes === null) notes.push({ code: 'RAM_UNMEASURED' });

  const inPlay = [chosen?.footprint ?? null, ...residents.map(({ footprint }) => footprint)];
  for (const deviceKey of devicesOf(inPlay)) {
    if (!resources.gpus.some((gpu) => gpu.deviceKey === deviceKey)) {
      notes.push({ code: 'GPU_UNKNOWN', deviceKey });
    }
  }
  for (const deviceKey of devicesOf([chosen?.footprint ?? null])) {
    const gpu = resources.gpus.find((one) => one.deviceKey === deviceKey);
    if (resources.observable && gpu !== undefined && isUnmeasured(gpu, resources)) {
      notes.push({ code: 'GPU_UNMEASURED', deviceKey });
    }
  }
  for (const { instanceIdentifier, footprint } of residents) {
    if (footprint === null) notes.push({ code: 'RESIDENT_UNMEASURED', instanceIdentifier });
  }

  const wantedTokens =
    chosen === null
      ? null
      : (candidates[chosen.candidateIndex]?.loadOptions[0]?.loadConfig.contextLengthTokens ?? null);
  const offeredTokens = chosen === null ? null : contextOf(chosen, residents);
  if (wantedTokens !== null && offeredTokens !== null && offeredTokens < wantedTokens) {
    notes.push({ code: 'SHORTER_CONTEXT', wantedTokens, offeredTokens });
  }
  if (chosen !== null) {
    const candidate = candidates[chosen.candidateIndex];
    const option = candidate?.loadOptions[chosen.optionIndex];
    const neededTokens = option?.loadConfig.contextLengthTokens ?? null;
    if (chosen.loadOption === option?.roomier && neededTokens !== null && offeredTokens !== null) {
      notes.push({ code: 'ROOM_TO_GROW', neededTokens, offeredTokens });
    }
    const tooSlow =
      candidate === undefined ? null : findTooSlow(candidate, chosen.loadOption, policy);
    if (tooSlow !== null) {
      const comparison = compareValues(chosen.candidateIndex, order);
      notes.push(comparison === null ? tooSlow : { ...tooSlow, comparison });
    }
    for (const one of poolsUsedBy(needed, pools)) {
      const { pool, useAfterBytes, totalBytes, limitRatio, limitBytes } = one;
      if (useAfterBytes > limitBytes) {
        notes.push({ code: 'ABOVE_LIMIT', pool, useRatio: useAfterBytes / totalBytes, limitRatio });
      }
    }
  }

  const cpu = outsideCpuRatio(resources.cpu, residents);
  if (cpu !== null && cpu > policy.cpuLimitRatio) {
    notes.push({ code: 'CPU_PRESSURE', ratio: cpu, limitRatio: policy.cpuLimitRatio });
  }
  return notes;
}

/** The context length of the resident that serves, or of the option that is loaded. */
function contextOf(
  { instanceIdentifier, loadOption }: Chosen,
  residents: SelectionInput['residents'],
): number | null {
  const serving = residents.find((one) => one.instanceIdentifier === instanceIdentifier);
  return serving?.loadConfig.contextLengthTokens ?? loadOption.loadConfig.contextLengthTokens;
}

/** RAM, and the other pools that a charge takes memory from. */
export function poolsUsedBy(needed: Charge, pools: readonly PoolOutcome[]): readonly PoolOutcome[] {
  return pools.filter(({ pool }) => pool === 'ram' || (needed.get(pool) ?? 0) > 0);
}

/** Device keys of the GPUs that footprints take memory from. */
function devicesOf(footprints: readonly (Footprint | null)[]): ReadonlySet<string> {
  return new Set(
    footprints.flatMap((footprint) =>
      (footprint?.gpus ?? []).flatMap(({ deviceKey, bytes }) => (bytes > 0 ? deviceKey : [])),
    ),
  );
}

function isUnmeasured(gpu: GpuResources, resources: Resources): boolean {
  const isKnown = gpu.totalBytes !== null && gpu.availableBytes !== null;
  return hasOwnMemory(gpu, resources) && !isKnown;
}

/**
 * CPU load of others; `null` when it is not known. While an instance generates, the total includes our own
 * load, so the load of others is not known.
 */
function outsideCpuRatio(
  { othersRatio, utilizationRatio }: SelectionInput['resources']['cpu'],
  residents: SelectionInput['residents'],
): number | null {
  if (othersRatio !== null) return othersRatio;
  return residents.some(({ busy }) => busy) ? null : utilizationRatio;
}
