import type { SettledSnapshot } from '../monitor/resource-monitor.js';
import type { ResourceSnapshot } from '../snapshot.js';
import { createSettleDetector } from './settle-detector.js';

/** How long is waited at most, unless the caller says. */
export const SETTLE_TIMEOUT_MS = 8000;

/** A snapshot and when it was taken, on a clock that only grows. */
export interface TimedSnapshot {
  readonly snapshot: ResourceSnapshot;
  readonly atMs: number;
}

/** Takes samples until memory has stopped moving since `startMs`, the deadline has passed, or none comes. */
export async function waitUntilSettled(
  next: () => Promise<TimedSnapshot | null>,
  startMs: number,
  timeoutMs: number,
): Promise<SettledSnapshot | null> {
  const detector = createSettleDetector(startMs);
  let last: SettledSnapshot | null = null;
  for (;;) {
    const sample = await next();
    if (sample === null) return last;
    const { snapshot, atMs } = sample;
    const moving = detector.observe(snapshot, atMs);
    const waitedMs = atMs - startMs;
    last = { ...snapshot, settled: moving.length === 0, moving, waitedMs };
    if (last.settled || waitedMs >= timeoutMs) return last;
  }
}
