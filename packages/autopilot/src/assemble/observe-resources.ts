import type { Resources } from '@mai/memory-ledger';
import { callOptions } from '../ports/call-options.js';
import type { AutopilotPorts } from '../ports/autopilot-ports.js';

/**
 * Reads the resources of the machine that models are loaded on. This machine is measured. For another
 * machine, the totals come from the runtime's survey, and the available memory is unknown.
 */
export async function observeResources(
  ports: AutopilotPorts,
  deviceIdentifier: string | null,
  signal: AbortSignal | null,
): Promise<Resources> {
  if (ports.runtimeIsLocal && deviceIdentifier === null) {
    return ports.monitor.snapshot(callOptions(signal, null));
  }
  const survey = await ports.survey.survey({ ...callOptions(signal, null), deviceIdentifier });
  return {
    timestampMs: ports.clock.nowMs(),
    observable: false,
    ram: {
      totalBytes: survey.ramTotalBytes,
      availableBytes: null,
      mappedCountsAsUsed: null,
    },
    unified: survey.unified,
    gpus: survey.gpus.map((gpu) => ({
      deviceKey: gpu.deviceKey,
      name: gpu.name,
      vendor: null,
      memory: gpu.memory,
      totalBytes: gpu.totalBytes,
      availableBytes: null,
    })),
    cpu: { utilizationRatio: null, othersRatio: null },
  };
}
