import type { MonitorPort } from '@mai/autopilot';
import type { LMStudioClient } from '@mai/lmstudio-adapter';
import { isLMStudioError } from '@mai/lmstudio-adapter';
import type { ResourceMonitor } from '@mai/resource-monitor';
import { createResourceMonitor } from '@mai/resource-monitor';
import type { HostContext } from '../host-options.js';

/** The monitor and the parts that set it up. */
export interface MachineMonitor extends AsyncDisposable {
  readonly port: MonitorPort;
  /** The whole monitor; null where the caller gave its own. */
  readonly own: ResourceMonitor | null;
  /**
   * Tells the monitor of GPUs that LM Studio's engine sees and the system may hide. Asks each
   * client once.
   */
  inform(client: LMStudioClient, signal: AbortSignal): Promise<void>;
}

/** Creates the monitor without reading. */
export function openMonitor({ monitor, env, platform }: HostContext): MachineMonitor {
  if (monitor !== null) {
    return { port: monitor, own: null, inform: nothing, [Symbol.asyncDispose]: nothing };
  }
  const own = createResourceMonitor({ env, platform });
  const informed = new WeakSet<LMStudioClient>();
  return {
    port: own,
    own,
    inform: async (client, signal) => {
      if (informed.has(client) || !client.host.isLocal) return;
      try {
        own.inform({ survey: await client.surveyHardware({ signal }) });
        informed.add(client);
      } catch (error) {
        // Without an answer from LM Studio in time, the monitor uses the GPUs that the system
        // shows.
        if (!isLMStudioError(error)) throw error;
      }
    },
    [Symbol.asyncDispose]: () => own[Symbol.asyncDispose](),
  };
}

function nothing(): Promise<void> {
  return Promise.resolve();
}
