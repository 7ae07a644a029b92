import type { ReadFigure } from '../reading/reader.js';
import { ResourceMonitorError } from '../resource-monitor-error.js';
import type { RamSnapshot } from '../snapshot.js';

/** The one figure without which there is no answer. */
export function requireRam({
  value,
  source: { passedOver },
}: ReadFigure<RamSnapshot>): RamSnapshot {
  if (value !== null) return value;
  const reasons = passedOver.map(({ source, reason }) => `${source}: ${reason}`).join('; ');
  throw new ResourceMonitorError(
    'PROBE_FAILED',
    `The memory of this machine can't be read: ${reasons}`,
    { passedOver },
  );
}
