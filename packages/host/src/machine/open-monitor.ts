import type { MonitorPort } from '@mai/autopilot';
import { isLMStudioError, type EngineWatch } from '@mai/lmstudio-adapter';
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
   * Tells the monitor what the runtime knows about this machine: the GPUs that LM Studio's engine sees, because the
   * system may hide some (asks each LM Studio once), and the processes of the embedded engine, whose CPU load is not
   * that of other programs. The monitor finds LM Studio's processes by their names.
   */
  inform(link: RuntimeLink, signal: AbortSignal): Promise<void>;
}

/** Creates the monitor without a reading. */
export function openMonitor({
  monitor,
  env,
  platform,
}: Pick<HostContext, 'monitor' | 'env' | 'platform'>): MachineMonitor {
  if (monitor !== null) {
    return { port: monitor, own: null, inform: nothing, [Symbol.asyncDispose]: nothing };
  }
  const own = createResourceMonitor({ env, platform });
  const informed = new WeakSet<object>();
  let engines: Pick<EngineWatch, 'reports'> = { reports: () => [] };
  let known = '';
  const informAboutEngines = (): void => {
    const engineProcessIds = engines.reports().flatMap(({ pid }) => (pid === null ? [] : [pid]));
    // The monitor searches all processes after each hint.
    if (engineProcessIds.join() === known) return;
    known = engineProcessIds.join();
    own.inform({ engineProcessIds });
  };
  return {
    port: {
      readRam: own.readRam,
      snapshot: (options) => {
        informAboutEngines();
        return own.snapshot(options);
      },
      settled: (options) => {
        informAboutEngines();
        return own.settled(options);
      },
    },
    own,
    inform: async (link, signal) => {
      if (link.kind === 'off') return;
      const { client } = link;
      if (link.runtime === 'embedded') {
        engines = await client.watchEngines();
        informAboutEngines();
        return;
      }
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
