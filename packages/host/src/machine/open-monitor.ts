import type { MonitorPort } from '@mai/autopilot';
import { isLMStudioError } from '@mai/lmstudio-adapter';
import type { ResourceMonitor } from '@mai/resource-monitor';
import { createResourceMonitor } from '@mai/resource-monitor';
import type { HostContext } from '../host-options.js';
import type { RuntimeLink } from '../runtime/connect-runtime.js';

/** The resource monitor of a host. */
export interface MachineMonitor extends AsyncDisposable {
  readonly port: MonitorPort;
  /** This machine's monitor; null where the host's options replace it. */
  readonly own: ResourceMonitor | null;
  /**
   * Tells the monitor which GPUs LM Studio's engine sees, because the system may hide some. Asks each
   * LM Studio once. Does nothing for the embedded engine, which sees the GPUs that the system shows.
   */
  inform(link: RuntimeLink, signal: AbortSignal): Promise<void>;
}

/** Creates the monitor without a reading. */
export function openMonitor({ monitor, env, platform }: HostContext): MachineMonitor {
  if (monitor !== null) {
    return { port: monitor, own: null, inform: nothing, [Symbol.asyncDispose]: nothing };
  }
  const own = createResourceMonitor({ env, platform });
  const informed = new WeakSet<object>();
  return {
    port: own,
    own,
    inform: async (link, signal) => {
      if (link.kind === 'off' || link.runtime === 'embedded') return;
      const { client } = link;
      if (informed.has(client) || !client.host.isLocal) return;
      try {
        own.inform({ survey: await client.surveyHardware({ signal }) });
        informed.add(client);
      } catch (error) {
        // LM Studio did not answer. The monitor then knows only the GPUs that the system shows.
        if (!isLMStudioError(error)) throw error;
      }
    },
    [Symbol.asyncDispose]: () => own[Symbol.asyncDispose](),
  };
}

function nothing(): Promise<void> {
  return Promise.resolve();
}
