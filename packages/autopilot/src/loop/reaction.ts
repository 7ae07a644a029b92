import type { Selection } from '@mai/selector';

/** A fast disk; until loads here have been timed it stands for all of them. */
const LOAD_BYTES_PER_MS = 1_000_000;
/** Drivers take up to this long to give back what an unload frees. */
const SETTLE_MS = 1500;

/** How long a decision taken at the next round would need until memory is free and a model answers. */
export function reactionMs({ chosen, plan }: Selection, observeIntervalMs: number): number {
  const loads = plan.steps.some((step) => step.action === 'load');
  const footprint = chosen?.footprint ?? null;
  const bytes =
    footprint === null || !loads
      ? 0
      : footprint.gpus.reduce(
          (sum, gpu) => sum + gpu.bytes,
          footprint.ram.mappedBytes + footprint.ram.anonymousBytes,
        );
  return Math.round(observeIntervalMs + SETTLE_MS + bytes / LOAD_BYTES_PER_MS);
}
