import type { Clock } from '@mai/autopilot';
import type { ResidentInstance } from '@mai/lmstudio-adapter';
import type { RuntimeClient } from './runtime-client.js';

/** The calls of a runtime that load, list and unload. */
export type LoadCalls = Pick<RuntimeClient, 'load' | 'loadFirst' | 'listResidents' | 'unload'>;

/** Called after a load that really loaded a model. */
export type OnLoaded = (instance: ResidentInstance, tookMs: number) => Promise<void>;

/** The same calls. The time of each load is reported before the load resolves. */
export function timeLoads(client: LoadCalls, clock: Clock, onLoaded: OnLoaded): LoadCalls {
  return {
    listResidents: (options) => client.listResidents(options),
    unload: (instanceIdentifier, options) => client.unload(instanceIdentifier, options),
    load: async (request) => {
      const startedMs = clock.monotonicMs();
      const result = await client.load(request);
      if (!result.reused) await onLoaded(result.instance, clock.monotonicMs() - startedMs);
      return result;
    },
    loadFirst: async (requests) => {
      const startedMs = clock.monotonicMs();
      const result = await client.loadFirst(requests);
      // After a failed load, the measured time includes that load, too.
      if (!result.reused && result.failures.length === 0) {
        await onLoaded(result.instance, clock.monotonicMs() - startedMs);
      }
      return result;
    },
  };
}
