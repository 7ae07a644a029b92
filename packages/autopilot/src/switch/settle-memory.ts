import type { Resources } from '@mai/memory-ledger';
import type { AutopilotPorts } from '../ports/autopilot-ports.js';
import { callOptions } from '../ports/call-options.js';
import { observeResources } from '../assemble/observe-resources.js';

/** Longest wait. CUDA drivers free memory 0.5 to 1.5 s after an unload, macOS up to 0.5 s. */
const SETTLE_TIMEOUT_MS = 3000;
const SETTLE_INTERVAL_MS = 250;
/** Memory has settled when no pool changes by more than this. A busy desktop changes by less all the time. */
const SETTLED_WITHIN_BYTES = 32 * 1024 * 1024;

/** Waits until memory has stopped changing, at most 3 s, and resolves to the last reading. */
export async function settleMemory(
  ports: AutopilotPorts,
  deviceIdentifier: string | null,
  signal: AbortSignal | null,
): Promise<Resources> {
  let last = await observeResources(ports, deviceIdentifier, signal);
  if (!last.observable) return last;
  if (ports.monitor.settled !== null) return ports.monitor.settled(callOptions(signal, null));
  const startedMs = ports.clock.monotonicMs();
  while (ports.clock.monotonicMs() - startedMs < SETTLE_TIMEOUT_MS) {
    await ports.clock.sleep(SETTLE_INTERVAL_MS, { signal });
    const reading = await observeResources(ports, deviceIdentifier, signal);
    if (hasSettled(last, reading)) return reading;
    last = reading;
  }
  return last;
}

function hasSettled(before: Resources, after: Resources): boolean {
  const close = (one: number | null, other: number | null): boolean =>
    one === null || other === null || Math.abs(one - other) <= SETTLED_WITHIN_BYTES;
  return (
    close(before.ram.availableBytes, after.ram.availableBytes) &&
    after.gpus.every((gpu) =>
      close(
        before.gpus.find((other) => other.deviceKey === gpu.deviceKey)?.availableBytes ?? null,
        gpu.availableBytes,
      ),
    )
  );
}
