import type { MonitorPort } from '@mai/autopilot';
import { setTimeout as sleep } from 'node:timers/promises';
import type { RuntimeLink } from '../runtime/connect-runtime.js';

/** From this share on, other programs are likely to have slowed an answer. */
export const BUSY_CPU_RATIO = 0.2;

/** Time over which the load is measured. Counters advance in steps, so a shorter time says little. */
const WINDOW_MS = 300;

/**
 * The share of the CPU that programs other than the engine use now, 0 to 1. Null where it is not known, and where the runtime is on another
 * machine. Never rejects, except with the signal's reason.
 */
export async function readOthersCpu(
  port: MonitorPort,
  link: RuntimeLink,
  signal: AbortSignal,
): Promise<number | null> {
  if (link.kind === 'off' || !link.client.host.isLocal) return null;
  try {
    // The load is that since the snapshot before.
    await port.snapshot({ signal });
    await sleep(WINDOW_MS, undefined, { signal });
    const { cpu } = await port.snapshot({ signal });
    return cpu.othersRatio;
  } catch {
    signal.throwIfAborted();
    return null;
  }
}
