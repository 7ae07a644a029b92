import type { LoadedModelConfig } from '@mai/model-config';
import { toSelectionPolicy } from '@mai/model-config';
import { isResourceMonitorError } from '@mai/resource-monitor';
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
  const totalBytes = await readTotal(monitor, signal);
  if (totalBytes === null || totalBytes > minHeadroomBytes) return [];
  const message = describeObstacle({ kind: 'headroom-too-large', totalBytes, minHeadroomBytes });
  return [fault('Headroom', message, null)];
}

/** Null where the memory cannot be read, which is another check's finding. */
async function readTotal(
  { port }: HostParts['monitor'],
  signal: AbortSignal,
): Promise<number | null> {
  try {
    return (await port.snapshot({ signal })).ram.totalBytes;
  } catch (error) {
    if (!isResourceMonitorError(error)) throw error;
    return null;
  }
}
