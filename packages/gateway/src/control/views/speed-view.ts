import { SPEED_DEPTH_TOKENS, type LoadSpeed } from '@mai/memory-ledger';
import type { z } from 'zod';
import type { modelSpeed } from '../schemas/shared/speed.js';

/** The expected speeds of a load for an answer. */
export function speedView(speed: LoadSpeed | null): z.output<typeof modelSpeed> | null {
  if (speed === null) return null;
  const { decodeTokensPerSecond, promptTokensPerSecond, loadMs, measured } = speed;
  // Another host may report a speed of 0, which would make the time to the first token infinite.
  if (promptTokensPerSecond.expected <= 0) return null;
  return {
    tokensPerSecond: decodeTokensPerSecond.expected,
    firstTokenMs: (SPEED_DEPTH_TOKENS / promptTokensPerSecond.expected) * 1000,
    loadMs: loadMs?.expected ?? null,
    measured,
  };
}
