import { totalBytesOf, type Footprint } from '@mai/memory-ledger';
import type { Selection } from '@mai/selector';

/** The speed of a fast disk, assumed for every load. */
const LOAD_BYTES_PER_MS = 1_000_000;
/** GPU drivers take up to this long to give back the memory of an unloaded model. */
export const SETTLE_MS = 1500;
/** Most chat answers end within this time. */
const DRAIN_MS = 8000;

/** How long it takes to load `bytes`, in milliseconds. */
export function bytesToMs(bytes: number): number {
  return bytes / LOAD_BYTES_PER_MS;
}

/** How long a model takes to load, in milliseconds; 0 when its size is unknown. */
export function loadMs(footprint: Footprint | null): number {
  return footprint === null ? 0 : bytesToMs(totalBytesOf(footprint));
}

/** The time from now until a decision of the next round has freed memory and a model answers. */
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
