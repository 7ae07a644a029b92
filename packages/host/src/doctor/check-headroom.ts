import type { LoadedModelConfig } from '@mai/model-config';
import { toSelectionPolicy } from '@mai/model-config';
import type { HostParts } from '../host-parts.js';
import { describeObstacle } from '../text/decisions/describe-obstacle.js';
import { fault, type Check } from './check.js';

/** Finds a minimum headroom that is larger than the memory, so that no model ever fits. */
export async function checkHeadroom(
  { config }: LoadedModelConfig,
  { monitor }: Pick<HostParts, 'monitor'>,
  signal: AbortSignal,
): Promise<readonly Check[]> {
  const { minHeadroomBytes } = toSelectionPolicy(config.switching);
  const { totalBytes } = (await monitor.port.snapshot({ signal })).ram;
  if (totalBytes > minHeadroomBytes) return [];
  const message = describeObstacle({ kind: 'headroom-too-large', totalBytes, minHeadroomBytes });
  return [fault('Headroom', message, null)];
}
