import type { Footprint } from '@mai/memory-ledger';
import type { Selection } from '@mai/selector';

/** A fast disk; until loads here have been timed it stands for all of them. */
const LOAD_BYTES_PER_MS = 1_000_000;
/** Drivers take up to this long to give back what an unload frees. */
export const SETTLE_MS = 1500;

/** Most answers of a chat are done by then. */
const DRAIN_MS = 8000;

/** How long so many bytes take to load. */
export function bytesToMs(bytes: number): number {
  return bytes / LOAD_BYTES_PER_MS;
}

/** How long a model takes to load; 0 where its size is unknown. */
export function loadMs(footprint: Footprint | null): number {
  if (footprint === null) return 0;
  const { ram, gpus } = footprint;
  const bytes = gpus.reduce((sum, gpu) => sum + gpu.bytes, ram.mappedBytes + ram.anonymousBytes);
  return bytesToMs(bytes);
}

/** How long a decision taken at the next round would need until memory is free and a model answers. */
export function reactionMs(
  { chosen, plan, afterDrain }: Selection,
  observeIntervalMs: number,
): number {
  const loads = plan.steps.some((step) => step.action === 'load');
  const drainMs = afterDrain === null ? 0 : DRAIN_MS;
  const footprint = loads ? (chosen?.footprint ?? null) : loadAfterDrain(afterDrain);
  return Math.round(observeIntervalMs + SETTLE_MS + drainMs + loadMs(footprint));
}

function loadAfterDrain(afterDrain: Selection['afterDrain']): Footprint | null {
  const load = afterDrain?.plan.steps.find((step) => step.action === 'load');
  return load?.action === 'load' ? load.loadOption.footprint : null;
}
