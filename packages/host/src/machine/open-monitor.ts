import type { MonitorPort } from '@mai/autopilot';
import type { LMStudioClient } from '@mai/lmstudio-adapter';
import { isLMStudioError } from '@mai/lmstudio-adapter';
import type { ResourceMonitor } from '@mai/resource-monitor';
import { createResourceMonitor } from '@mai/resource-monitor';
import type { HostContext } from '../host-options.js';

/** What reads this machine for a host. */
export interface MachineMonitor extends AsyncDisposable {
  readonly port: MonitorPort;
  /** The whole monitor; null where a caller gave one of their own. */
  readonly own: ResourceMonitor | null;
  /** Tells it of GPUs that LM Studio's engine sees and the system may hide. Asks each client once. */
  inform(client: LMStudioClient, signal: AbortSignal): Promise<void>;
}

/** Reads nothing yet. */
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
        // An LM Studio that does not tell, or not in time, leaves what the system itself shows.
        if (!isLMStudioError(error)) throw error;
      }
    },
    [Symbol.asyncDispose]: () => own[Symbol.asyncDispose](),
  };
}

function nothing(): Promise<void> {
  return Promise.resolve();
}
